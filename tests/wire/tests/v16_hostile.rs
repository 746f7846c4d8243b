//! Wire v16 and the FrameV1 lane against frames that are cut, corrupted or made to be expensive.

use std::fmt::Debug;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ipc_model::{Request, Response};
use prost::encoding::{WireType, encode_key, encode_varint};
use wire_conformance::vectors::{bytes, list, text};
use wire_frame::FrameError;
use wire_v16::frame_v1::{self, Rejected};
use wire_v16::{DecodeError, LIST_MEMORY, Message, decode_body, decode_frame};

#[global_allocator]
static ALLOC: testkit::CountingAlloc = testkit::CountingAlloc;

/// The largest allocation of a decoder: a frame and some working memory.
const LARGEST_ALLOCATION: usize = 17 * 1024 * 1024;

/// A recorded frame.
struct Recorded {
    is_request: bool,
    in_envelope: bool,
    frame: Vec<u8>,
}

static FRAMES: LazyLock<Vec<Recorded>> = LazyLock::new(|| {
    list("public.json", "vectors")
        .iter()
        .filter(|vector| vector["lane"] != "v15")
        .map(|vector| Recorded {
            is_request: text(vector, "direction") == "request",
            in_envelope: text(vector, "lane") == "frame_v1",
            frame: bytes(vector, "hex"),
        })
        .collect()
});

/// The complete frame at the start of `buffer`, on either lane; whether it was complete.
fn read<M: Message>(in_envelope: bool, buffer: &mut Bytes) -> Result<bool, DecodeError> {
    if in_envelope {
        let read = frame_v1::decode_frame::<M>(buffer).map_err(|Rejected { error, .. }| error);
        read.map(|envelope| envelope.is_some())
    } else {
        decode_frame::<M>(buffer).map(|body| body.is_some())
    }
}

/// Decodes the bytes after the head of a frame.
fn read_rest<M: Message>(in_envelope: bool, rest: Bytes) -> Result<(), DecodeError> {
    if in_envelope {
        frame_v1::decode::<M>(rest).map(drop).map_err(|Rejected { error, .. }| error)
    } else {
        decode_body::<M>(rest).map(drop)
    }
}

fn head_len(in_envelope: bool) -> usize {
    if in_envelope { frame_v1::HEAD_LEN } else { wire_frame::HEADER_LEN }
}

#[test]
fn a_frame_cut_at_any_byte_waits_for_the_rest() {
    fn check<M: Message>(recorded: &Recorded) {
        for cut in 0..recorded.frame.len() {
            let mut buffer = Bytes::copy_from_slice(&recorded.frame[..cut]);
            assert_eq!(read::<M>(recorded.in_envelope, &mut buffer), Ok(false), "cut at {cut}");
            assert_eq!(buffer.len(), cut, "nothing is taken before the frame is complete");
        }
    }
    for recorded in FRAMES.iter() {
        if recorded.is_request { check::<Request>(recorded) } else { check::<Response>(recorded) }
    }
}

#[test]
fn a_body_cut_at_any_byte_is_a_value_or_a_typed_error() {
    fn check<M: Message + Debug>(recorded: &Recorded) {
        let rest = Bytes::copy_from_slice(&recorded.frame[head_len(recorded.in_envelope)..]);
        for cut in 0..rest.len() {
            match read_rest::<M>(recorded.in_envelope, rest.slice(..cut)) {
                // Protobuf has no end mark: a body may be cut between two fields.
                Ok(()) => {}
                Err(DecodeError::Body { .. } | DecodeError::Envelope(_)) => {}
                Err(DecodeError::EnvelopeVersion { .. } | DecodeError::PayloadProtocol { .. }) => {}
                Err(other) => panic!("cut at {cut}: {other:?}"),
            }
        }
    }
    for recorded in FRAMES.iter() {
        if recorded.is_request { check::<Request>(recorded) } else { check::<Response>(recorded) }
    }
}

/// Decodes a frame with each fourth of its bytes replaced by each of the values that `values` gives.
fn check_corruptions<M: Message, I: Iterator<Item = u8>>(
    recorded: &Recorded,
    quarter: usize,
    values: impl Fn(usize, u8) -> I,
) {
    let head = head_len(recorded.in_envelope);
    let mut bytes = recorded.frame.clone();
    for at in (quarter..bytes.len()).step_by(4) {
        let original = bytes[at];
        for value in values(at, original) {
            bytes[at] = value;
            let ((), report) = testkit::measure(|| {
                // The frame is read in place, as from a connection's buffer.
                let mut frame = Bytes::from(std::mem::take(&mut bytes));
                let kept = frame.clone();
                if at < head {
                    let _ = read::<M>(recorded.in_envelope, &mut frame);
                } else {
                    let _ = read_rest::<M>(recorded.in_envelope, frame.slice(head..));
                }
                drop(frame);
                bytes = kept.into();
            });
            assert!(report.peak <= LARGEST_ALLOCATION, "byte {at} as {value}: {report:?}");
        }
        bytes[at] = original;
    }
}

/// All values at the first 128 bytes, every flipped bit beyond.
///
/// In an envelope, what is beyond and not near its end is a body that the other lane has as well.
fn corrupt_quarter(quarter: usize) {
    let _watchdog = testkit::watchdog(Duration::from_secs(110));
    // Under Wine the whole sweep takes several minutes; the code under test is the same.
    let step = if cfg!(windows) { 16 } else { 1 };
    for recorded in FRAMES.iter().step_by(step) {
        let tail = recorded.frame.len().saturating_sub(32);
        let values = |at: usize, original: u8| {
            let flipped = at >= 128 && (at >= tail || !recorded.in_envelope);
            let all = (0..=u8::MAX).filter(move |value| at < 128 && *value != original);
            all.chain((0..8).filter(move |_| flipped).map(move |bit| original ^ (1 << bit)))
        };
        if recorded.is_request {
            check_corruptions::<Request, _>(recorded, quarter, values);
        } else {
            check_corruptions::<Response, _>(recorded, quarter, values);
        }
    }
}

#[test]
fn any_single_corrupted_byte_ends_in_a_value_or_a_typed_error_1() {
    corrupt_quarter(0);
}

#[test]
fn any_single_corrupted_byte_ends_in_a_value_or_a_typed_error_2() {
    corrupt_quarter(1);
}

#[test]
fn any_single_corrupted_byte_ends_in_a_value_or_a_typed_error_3() {
    corrupt_quarter(2);
}

#[test]
fn any_single_corrupted_byte_ends_in_a_value_or_a_typed_error_4() {
    corrupt_quarter(3);
}

/// A message of `contents` in the field `number`, with the length that it has or the one that is claimed.
fn message(number: u32, contents: &[u8], claimed: Option<usize>) -> Vec<u8> {
    let mut out = BytesMut::new();
    encode_key(number, WireType::LengthDelimited, &mut out);
    encode_varint(claimed.unwrap_or(contents.len()) as u64, &mut out);
    out.extend_from_slice(contents);
    out.into()
}

/// As many empty elements of the list `number` as fit into a frame, or `count` of them.
fn elements(number: u32, count: Option<usize>) -> Vec<u8> {
    let element = message(number, &[], None);
    let most = (wire_frame::MAX_LENGTH as usize - 64) / element.len();
    element.repeat(count.unwrap_or(most))
}

#[test]
fn a_legal_frame_of_empty_elements_cannot_ask_for_many_times_its_size() {
    fn check<M: Message + Debug>(name: &str, body: Vec<u8>) {
        assert!(body.len() <= wire_frame::MAX_LENGTH as usize, "{name}");
        let body = Bytes::from(body);
        let (result, report) = testkit::measure(|| decode_body::<M>(body));
        assert!(matches!(result, Err(DecodeError::Lists { .. })), "{name}: {result:?}");
        assert!(report.peak < 1024, "{name}: refused before anything is read, {report:?}");
    }
    check::<Request>("arguments", message(7, &elements(2, None), None));
    check::<Request>("variables", message(7, &elements(5, None), None));
    check::<Request>("outputs", message(5, &message(2, &elements(1, None), None), None));
    check::<Request>("paths", message(18, &elements(5, None), None));
    let pids = message(4, &vec![0; 15 << 20], None);
    check::<Request>("packed numbers", message(6, &message(7, &pids, None), None));
    let names = message(1, &elements(2, Some(1)), None).repeat(4 << 20 >> 2);
    check::<Response>("lists of one within a list", message(15, &names, None));
    // prost reads an inner list to its announced end before it notices that the outer message was shorter.
    let artifact = message(2, &elements(1, None), None);
    check::<Request>("beyond the end of the message", message(5, &artifact, Some(2)));
    // The list of a member that is replaced has been read, too.
    let replaced = [message(7, &elements(2, Some(4 << 20)), None), message(1, &[], None)].concat();
    check::<Request>("a replaced member", replaced);
}

#[test]
fn lists_below_the_limit_are_read_within_it() {
    let check = |name: &str, body: Vec<u8>, strings: usize| {
        let body = Bytes::from(body);
        let (result, report) = testkit::measure(|| decode_body::<Request>(body));
        assert!(result.is_ok_and(|body| body.message.is_err()), "{name}");
        assert!(report.largest <= LARGEST_ALLOCATION, "{name}: {report:?}");
        // A list that grows is copied from its old room to its new one.
        assert!(report.peak <= LIST_MEMORY * 3 / 2 + strings + 4096, "{name}: {report:?}");
    };
    check("arguments", message(7, &elements(2, Some(1 << 19)), None), 0);
    check("variables", message(7, &elements(5, Some(1 << 18)), None), 0);
    let text = message(2, &[b'a'; 24], None).repeat(1 << 19);
    check("arguments with text", message(7, &text, None), 24 << 19);
    let outputs = message(2, &elements(1, Some(1 << 17)), None);
    check("outputs", message(5, &outputs, None), 0);
}

#[test]
fn groups_within_groups_are_an_error_and_not_a_deep_stack() {
    for depth in [99, 100, 101, 1 << 20] {
        // Field 31 as the start of a group, again and again.
        let body = Bytes::from([0xfb, 0x01].repeat(depth));
        assert!(matches!(decode_body::<Request>(body), Err(DecodeError::Body { .. })), "{depth}");
    }
}

#[test]
fn recorded_buffers_end_as_recorded() {
    let cases = list("decode_public.json", "cases");
    assert_eq!(cases.len(), 74);
    for case in &cases {
        check_recorded(case, "request_decoder_v16_only", EARLIER_HEADER, |buffer| {
            decode_frame::<Request>(buffer)
                .map(|body| body.map(|body| format!("{:?} {}", body_of(&body.message), body.request_id)))
        });
        check_recorded(case, "request_decoder_frame_only", EARLIER_FRAMING, |buffer| {
            frame_v1::decode_frame::<Request>(buffer).map_err(|rejected| rejected.error).map(|read| {
                read.map(|read| {
                    let (body, frame_request_id) = (read.body, read.frame_request_id);
                    format!("{:?} {} {frame_request_id}", body_of(&body.message), body.request_id)
                })
            })
        });
    }
}

/// Returns true if the message has a body.
fn body_of<M>(message: &Result<M, wire_v16::ConvertError>) -> bool {
    !matches!(message, Err(wire_v16::ConvertError::NoBody { .. }))
}

/// Compares what `decode` makes of one recorded buffer with what `decoder` made of it.
fn check_recorded(
    case: &serde_json::Value,
    decoder: &str,
    differences: &[&str],
    decode: impl FnOnce(&mut Bytes) -> Result<Option<String>, DecodeError>,
) {
    let (name, recorded) = (text(case, "name"), &case[decoder]);
    if recorded["outcome"] == "not-applicable" {
        return;
    }
    let mut buffer = Bytes::from(bytes(case, "hex"));
    let before = buffer.len();
    let result = decode(&mut buffer);
    if differences.contains(&name) {
        use DecodeError::{Frame, Framing, Version};
        let earlier =
            matches!(result, Err(Version { .. } | Framing { .. } | Frame(FrameError::TooShort { .. })));
        assert!(earlier, "{decoder} of {name}: {result:?}");
        assert_eq!(recorded["outcome"], "incomplete", "{decoder} of {name}");
        return;
    }
    match (&result, recorded["outcome"].as_str()) {
        (Ok(None), Some("incomplete")) => {}
        (Ok(Some(read)), Some("ok")) => {
            let mut expected = format!("{} {}", recorded["has_body"], text(recorded, "request_id"));
            if let Some(id) = recorded["frame_request_id"].as_u64() {
                expected += &format!(" {id}");
            }
            assert_eq!(*read, expected, "{decoder} of {name}");
        }
        (Err(error), Some("error")) => check_error(name, error, recorded),
        _ => panic!("{decoder} of {name}: {result:?}, recorded {recorded}"),
    }
    assert_eq!(Some((before - buffer.len()) as u64), recorded["consumed"].as_u64(), "{decoder} of {name}");
}

fn check_error(name: &str, error: &DecodeError, recorded: &serde_json::Value) {
    let theirs = text(recorded, "text");
    let detail = theirs.strip_prefix("deserialization error: ").unwrap_or(theirs);
    match error {
        DecodeError::Version { received, .. } => assert_eq!(recorded["received"], received.0, "{name}"),
        // What follows is the text of a library.
        DecodeError::Body { .. } => assert!(detail.starts_with("failed to decode Protobuf"), "{name}"),
        DecodeError::Envelope(_) => assert!(detail.starts_with("running-process Frame: "), "{name}"),
        other => assert_eq!(other.to_string(), detail, "{name}"),
    }
}

/// Where the v16-only decoder ends otherwise than the released one: it refuses another version as soon as
/// its eight bytes are there, where the released one waits for the whole frame. An envelope read as a
/// header has such a version. `STABILITY.md` has the same list in words.
const EARLIER_HEADER: &[&str] = &[
    "len_3_header_only", // a length that is too small, likewise
    "v15_lookup_missing_last_byte",
    "v15_header_only",
    "v17_incomplete",
    "len_16mib_ok_incomplete",
    "v15_len_01_eight_bytes",
    "frame_lookup",
    "frame_lookup_missing_last_byte",
    "frame_two",
    "frame_response_kind",
    "frame_event_kind",
    "frame_cancel_kind",
    "frame_kind_99",
    "frame_foreign_protocol",
    "frame_protocol_probe",
    "frame_protocol_zero",
    "frame_envelope_2",
    "frame_zstd",
    "frame_encoding_9",
    "frame_deadline_and_trace",
    "frame_bad_inner",
    "frame_empty_inner",
    "frame_bad_body",
    "frame_too_large",
];

/// Where the FrameV1-only decoder ends otherwise: it refuses another first byte at once, where the released
/// one waits for five bytes.
const EARLIER_FRAMING: &[&str] = &["one_byte_not_01", "three_bytes", "len_0", "len_3_header_only"];
