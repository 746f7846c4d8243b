//! Our daemon against what the last v15-only release was seen to answer, byte for byte.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use conformance::vectors::{bytes, list, text};
use ipc_model::Response;
use serde_json::Value;
use testkit::{Process, TempEndpoint};

const PATIENCE: Duration = Duration::from_secs(20);

/// Where our daemon answers otherwise, on purpose: the start of the case's name, and of our `Error`.
///
/// The released daemon says nothing to a frame that it cannot read, and waits for ever for the rest of
/// what it takes for a very long one. `STABILITY.md` has the same list in words.
const DELIBERATE: &[(&str, &str)] = &[
    ("FrameV1", MISMATCH_FRAME),
    ("identity probe as second frame#1", MISMATCH_FRAME),
    ("identity probe with", MISMATCH_FRAME),
    ("identity probe twice", MISMATCH_FRAME),
    ("identity probe as first", MISMATCH_FRAME),
    ("v15 unknown variant 99", "deserialization error: Request 99 is not known"),
    ("v15 truncated body", "deserialization error: a Request ends too early"),
    ("length 0xFFFFFFFF", "message too large: 4294967295 bytes"),
    ("length 16 MiB + 2", "message too large: 16777218 bytes"),
    ("length 0", "deserialization error: frame too small for protocol version"),
    ("length 2", "deserialization error: frame too small for protocol version"),
    ("HTTP garbage", "message too large: 542393671 bytes"),
];

/// Families that this release does not serve, which the released daemon does.
const NOT_SERVED: &str = "family Fingerprint";

const MISMATCH_FRAME: &str = "protocol version mismatch: daemon zccache v1.11.21 (protocol v15) received a request at protocol FrameV1";

#[test]
fn the_daemon_answers_as_the_last_v15_only_release_did() {
    let _watchdog = testkit::watchdog(Duration::from_secs(60));
    let place = TempEndpoint::new();
    let mut daemon = Process::spawn(place.command(testkit::program("zccache-daemon")).args([
        "--foreground",
        "--endpoint",
        &place.name(),
        "--report-version",
        "1.11.21",
    ]));
    testkit::eventually(PATIENCE, "the daemon listens", || UnixStream::connect(place.socket()).is_ok());

    let mut compared = 0;
    for case in list("live_1.11.21.json", "cases") {
        if let Some(transcript) = case["transcript"].as_array() {
            compared += replay(&place, text(&case, "name"), transcript);
        }
    }
    assert!(compared > 80, "{compared}");
    assert!(daemon.wait_exit(PATIENCE).success(), "the last case is a shutdown: {}", daemon.stderr());
}

/// Plays one recorded connection; returns how many replies were compared.
fn replay(place: &TempEndpoint, name: &str, transcript: &[Value]) -> usize {
    let mut stream = UnixStream::connect(place.socket()).expect("connects");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    for (index, step) in transcript.iter().enumerate() {
        stream.write_all(&bytes(step, "sent")).expect("written");
        if name.contains("half-close") {
            stream.shutdown(Shutdown::Write).expect("half closed");
        }
        let numbered = format!("{name}#{index}");
        let ours = DELIBERATE.iter().find(|(start, _)| numbered.starts_with(start));
        let ours = ours.map(|(_, message)| *message);
        let frame_v1 = name.ends_with("on frame_v1") || (name.starts_with("mixed") && index == 2);
        if let Some(message) = ours.or(frame_v1.then_some(MISMATCH_FRAME)) {
            let said = error_in(&rest(&mut stream));
            assert!(said.starts_with(message), "{numbered}: {said}");
            return index + 1;
        }
        let recorded: Vec<u8> = step["received"]
            .as_array()
            .expect("replies")
            .iter()
            .flat_map(|reply| bytes(reply, "hex"))
            .collect();
        if step["connection_after"] == "eof" {
            assert_eq!(hex::encode(rest(&mut stream)), hex::encode(recorded), "{numbered}");
            return index + 1;
        }
        if name.starts_with(NOT_SERVED) {
            assert!(error_in(&one_frame(&mut stream)).contains("not served"), "{numbered}");
        } else if name == "family Clear on v15" {
            // The released daemon stores nothing, so it has nothing to clear.
            assert_eq!(one_frame(&mut stream).len(), recorded.len(), "{numbered}");
        } else {
            let mut reply = vec![0; recorded.len()];
            stream.read_exact(&mut reply).expect("the reply");
            assert_eq!(hex::encode(reply), hex::encode(recorded), "{numbered}");
        }
    }
    transcript.len()
}

fn one_frame(stream: &mut UnixStream) -> Vec<u8> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).expect("a length");
    let mut frame = length.to_vec();
    frame.resize(4 + u32::from_le_bytes(length) as usize, 0);
    stream.read_exact(&mut frame[4..]).expect("a frame");
    frame
}

/// Everything until the daemon closes; a reset after the data counts as its end.
fn rest(stream: &mut UnixStream) -> Vec<u8> {
    let mut all = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => return all,
            Ok(read) => all.extend_from_slice(&chunk[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return all,
            Err(error) => panic!("the daemon does not close: {error}"),
        }
    }
}

fn error_in(frame: &[u8]) -> String {
    match wire_v15::decode_frame(&mut bytes::Bytes::copy_from_slice(frame)) {
        Ok(Some(Response::Error(error))) => error.message,
        other => panic!("{other:?}"),
    }
}
