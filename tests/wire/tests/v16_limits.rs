//! What no peer would receive is not sent, on wire v16 and in envelopes.

use bytes::{Bytes, BytesMut};
use ipc_model::{ArtifactData, ArtifactOutput, ArtifactPayload, Compile, LookupResult, Request, Response};
use wire_frame::MAX_LENGTH;
use wire_v16::frame_v1::{self, Kind};
use wire_v16::{EncodeError, decode_frame, encode_into};

#[global_allocator]
static ALLOC: testkit::CountingAlloc = testkit::CountingAlloc;

fn hit(len: usize) -> Response {
    let payload = ArtifactPayload::Bytes(Bytes::from(vec![7; len]));
    let outputs = vec![ArtifactOutput { name: "o".to_owned(), payload }];
    let artifact = ArtifactData { outputs, ..ArtifactData::default() };
    Response::LookupResult(LookupResult::Hit { artifact: artifact.into() })
}

fn encode_v16(message: &Response, buffer: &mut BytesMut) -> Result<(), EncodeError> {
    encode_into(message, "id", buffer)
}

fn encode_frame(message: &Response, buffer: &mut BytesMut) -> Result<(), EncodeError> {
    frame_v1::encode_into(message, "id", u64::MAX, Kind::Response, buffer)
}

#[test]
fn a_frame_at_the_limit_is_sent_and_one_above_it_is_refused_and_leaves_no_bytes() {
    type Encode = fn(&Response, &mut BytesMut) -> Result<(), EncodeError>;
    // What each lane's length field counts beside the payload of this message.
    for (lane, encode, head) in
        [("v16", encode_v16 as Encode, 4), ("frame_v1", encode_frame, frame_v1::HEAD_LEN)]
    {
        let mut buffer = BytesMut::new();
        encode(&hit(MAX_LENGTH as usize / 2), &mut buffer).expect("below the limit");
        let around = buffer.len() - head - MAX_LENGTH as usize / 2;
        // No length grows by a byte between half of the limit and all of it.
        let most = MAX_LENGTH as usize - around;

        buffer.clear();
        encode(&hit(most), &mut buffer).expect("at the limit");
        assert_eq!(buffer.len(), MAX_LENGTH as usize + head, "{lane}");

        let mut buffer = BytesMut::from(&b"before"[..]);
        let length = u64::from(MAX_LENGTH) + 1;
        assert_eq!(encode(&hit(most + 1), &mut buffer), Err(EncodeError::TooLong { length }), "{lane}");
        assert_eq!(&buffer[..], b"before", "{lane}");
    }
}

#[test]
fn a_large_byte_string_is_shared_with_the_frame_and_a_small_one_is_not() {
    for (len, shared) in [(wire_v16::SHARED_FROM, true), (wire_v16::SHARED_FROM - 1, false)] {
        let mut frame = wire_v16::encode(&hit(len), "id").expect("encodes");
        let range = frame.as_ptr_range();
        let read = decode_frame::<Response>(&mut frame).expect("legal").expect("complete");
        let Ok(Response::LookupResult(LookupResult::Hit { artifact })) = read.message else {
            panic!("not a hit");
        };
        match &artifact.outputs[0].payload {
            ArtifactPayload::Bytes(bytes) => assert_eq!(range.contains(&bytes.as_ptr()), shared, "{len}"),
            ArtifactPayload::Path(_) => panic!("not bytes"),
        }
    }
}

#[test]
fn a_ping_allocates_nothing_when_written_and_its_id_when_read() {
    let mut buffer = BytesMut::with_capacity(1024);
    let (result, report) = testkit::measure(|| encode_into(&Request::Ping, "control-ping", &mut buffer));
    result.expect("encodes");
    assert_eq!(report.count, 0);
    let mut frame = buffer.freeze();
    let clone = frame.clone(); // shared from here on, as a connection's buffer is
    let (read, report) = testkit::measure(|| decode_frame::<Request>(&mut frame));
    assert_eq!(read.expect("legal").expect("complete").message, Ok(Request::Ping));
    assert_eq!(report.count, 1);
    drop(clone);
}

#[test]
fn reading_moves_what_prost_read_into_the_model() {
    let env = (0..80).map(|index| (format!("VARIABLE_{index}"), "a value".to_owned())).collect();
    let args = (0..60).map(|index| format!("argument {index}")).collect();
    let compile = Request::from(Compile { args, env: Some(env), ..Compile::default() });
    let mut frame = wire_v16::encode(&compile, "compile").expect("encodes");
    let (read, report) = testkit::measure(|| decode_frame::<Request>(&mut frame));
    assert_eq!(read.expect("legal").expect("complete").message, Ok(compile));
    // Each string, the growth of two lists, and the id; nothing a second time.
    let strings = 60 + 80 * 2;
    assert!(report.count <= strings + 16, "{report:?}");
}

#[cfg(unix)]
#[test]
fn a_path_that_is_not_utf8_is_refused_and_never_changed() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::path::Path;

    let path = ipc_model::NormalizedPath::new(Path::new(OsStr::from_bytes(b"/tmp/\xff\xfe/x")));
    let outputs = |path| vec![ArtifactOutput { name: String::new(), payload: ArtifactPayload::Path(path) }];
    let artifact = ArtifactData { outputs: outputs(path.clone()), ..ArtifactData::default() };
    for request in [
        Request::from(Compile { compiler: path.clone(), ..Compile::default() }),
        Request::from(ipc_model::Store { artifact, ..ipc_model::Store::default() }),
        Request::ReleaseWorktreeHandles(ipc_model::ReleaseWorktreeHandles { path }),
    ] {
        let mut buffer = BytesMut::from(&b"before"[..]);
        let refused = |result: Result<(), EncodeError>| match result {
            Err(EncodeError::Path(path)) => assert!(path.shown.starts_with("/tmp/"), "{path}"),
            other => panic!("{other:?}"),
        };
        refused(encode_into(&request, "", &mut buffer));
        refused(wire_v16::encode_body(&request, "", &mut buffer));
        refused(frame_v1::encode_into(&request, "", 1, Kind::Request, &mut buffer));
        assert_eq!(&buffer[..], b"before");
    }
}
