//! Wire v15 against frames that are cut, trickled or corrupted.

use std::fmt::Debug;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use ipc_model::{Request, Response};
use serde_json::Value;
use wire_conformance::vectors::{bytes, list, text};
use wire_v15::{DecodeError, Message, decode, decode_frame};
#[global_allocator]
static ALLOC: testkit::CountingAlloc = testkit::CountingAlloc;

/// The largest allocation of a decoder: a frame and some working memory.
const LARGEST_ALLOCATION: usize = 17 * 1024 * 1024;

static FRAMES: LazyLock<Vec<(bool, Vec<u8>)>> = LazyLock::new(|| {
    list("public.json", "vectors")
        .iter()
        .filter(|vector| vector["lane"] == "v15")
        .map(|vector| (text(vector, "direction") == "request", bytes(vector, "hex")))
        .collect()
});

fn for_each_frame(check_request: impl Fn(&[u8]), check_response: impl Fn(&[u8])) {
    for (is_request, frame) in FRAMES.iter() {
        if *is_request { check_request(frame) } else { check_response(frame) }
    }
}

#[test]
fn a_frame_cut_at_any_byte_waits_for_the_rest() {
    fn check<M: Message + Debug>(frame: &[u8]) {
        let frame = Bytes::copy_from_slice(frame);
        for cut in 0..frame.len() {
            let mut buffer = frame.slice(..cut);
            assert!(matches!(decode_frame::<M>(&mut buffer), Ok(None)), "cut at {cut}");
            assert_eq!(buffer.len(), cut, "nothing is taken before the frame is complete");
        }
    }
    for_each_frame(check::<Request>, check::<Response>);
}

#[test]
fn a_body_cut_at_any_byte_is_truncated_or_a_message_with_nothing_behind_it() {
    fn check<M: Message + Debug>(frame: &[u8]) {
        let body = Bytes::copy_from_slice(&frame[8..]);
        for cut in 0..body.len() {
            match decode::<M>(&body.slice(..cut)) {
                Err(DecodeError::Truncated { .. }) => {}
                other => panic!("cut at {cut}: {other:?}"),
            }
        }
    }
    for_each_frame(check::<Request>, check::<Response>);
}

/// Decodes `frame` with each of its bytes replaced by each of the values that `values` gives.
fn check_corruptions<M: Message + Debug, I: Iterator<Item = u8>>(
    frame: &[u8],
    values: impl Fn(usize, u8) -> I,
) {
    let mut bytes = frame.to_vec();
    for at in 0..bytes.len() {
        let original = bytes[at];
        for value in values(at, original) {
            bytes[at] = value;
            let ((), report) = testkit::measure(|| {
                if at < 8 {
                    drop(decode_frame::<M>(&mut Bytes::copy_from_slice(&bytes)));
                } else {
                    // The body is read in place, as from a connection's buffer.
                    let body = Bytes::from(std::mem::take(&mut bytes));
                    drop(decode::<M>(&body.slice(8..)));
                    bytes = body.into();
                }
            });
            assert!(report.peak <= LARGEST_ALLOCATION, "byte {at} as {value}: {report:?}");
        }
        bytes[at] = original;
    }
}

/// All values at the first 128 bytes, every flipped bit beyond.
fn corrupt_quarter(quarter: usize) {
    let _watchdog = testkit::watchdog(Duration::from_secs(110));
    let values = |at: usize, original: u8| {
        let all = (0..=u8::MAX).filter(move |value| at < 128 && *value != original);
        all.chain((0..8).filter(move |_| at >= 128).map(move |bit| original ^ (1 << bit)))
    };
    // Under Wine the whole sweep takes several minutes; the code under test is the same.
    let step = if cfg!(windows) { 64 } else { 4 };
    for (is_request, frame) in FRAMES.iter().skip(quarter).step_by(step) {
        if *is_request {
            check_corruptions::<Request, _>(frame, values);
        } else {
            check_corruptions::<Response, _>(frame, values);
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

#[test]
#[ignore = "32 million frames, ten minutes and more: cargo test -p wire-conformance --test v15_hostile -- --ignored"]
fn any_corrupted_byte_of_any_value_ends_in_a_value_or_a_typed_error() {
    let values = |_: usize, original: u8| (0..=u8::MAX).filter(move |value| *value != original);
    for_each_frame(
        |frame| check_corruptions::<Request, _>(frame, values),
        |frame| check_corruptions::<Response, _>(frame, values),
    );
}

#[test]
fn a_legal_frame_of_empty_strings_cannot_ask_for_many_times_its_size() {
    // Compile whose argument list is as long as a frame can make it: eight bytes each on the wire.
    let count = (16 * 1024 * 1024 - 4 - 4 - 8 - 8) / 8;
    let mut body = Vec::with_capacity(16 * 1024 * 1024);
    body.extend_from_slice(&6_u32.to_le_bytes());
    body.extend_from_slice(&0_u64.to_le_bytes());
    body.extend_from_slice(&(count as u64).to_le_bytes());
    body.resize(16 * 1024 * 1024 - 4, 0);
    let body = Bytes::from(body);
    let (result, report) = testkit::measure(|| decode::<Request>(&body));
    assert!(matches!(result, Err(DecodeError::Body { .. })), "{result:?}");
    assert!(report.largest <= LARGEST_ALLOCATION, "{report:?}");
}

#[test]
fn recorded_buffers_end_as_recorded() {
    let differences = deliberate_differences();
    for case in list("decode_public.json", "cases") {
        let name = text(&case, "name");
        let recorded = &case["request_decoder_v15_only"];
        let mut buffer = Bytes::from(bytes(&case, "hex"));
        let before = buffer.len();
        let result = decode_frame::<Request>(&mut buffer);
        let actual = outcome(&result);
        let expected = differences.iter().find(|(different, _)| *different == name).map_or_else(
            || (expected_outcome(recorded), recorded["consumed"].as_u64()),
            |(_, outcome)| ((*outcome).to_owned(), None),
        );
        assert_eq!(actual, expected.0, "{name}: {recorded}");
        if let Some(consumed) = expected.1 {
            assert_eq!((before - buffer.len()) as u64, consumed, "{name}");
        }
    }
}

/// Where this decoder ends otherwise than the released v15-only decoder, and how.
///
/// The released one waits for the whole frame before it looks at the version; ours refuses an unknown
/// version as soon as its eight bytes are there. An envelope (FrameV1) read as a header has such a
/// version. `STABILITY.md` has the same list in words.
fn deliberate_differences() -> Vec<(&'static str, &'static str)> {
    vec![
        ("v17_incomplete", "version 17"),
        ("v16_lookup_missing_last_byte", "version 16"),
        ("frame_lookup", "version 402720768"),
        ("frame_lookup_missing_last_byte", "version 402720768"),
        ("frame_two", "version 402720768"),
        ("frame_response_kind", "version 268503040"),
        ("frame_event_kind", "version 268503040"),
        ("frame_cancel_kind", "version 268503040"),
        ("frame_kind_99", "version 268503040"),
        ("frame_foreign_protocol", "version 402720768"),
        ("frame_protocol_probe", "version 402720768"),
        ("frame_protocol_zero", "version 570492928"),
        ("frame_envelope_2", "version 402786304"),
        ("frame_zstd", "version 402720768"),
        ("frame_encoding_9", "version 402720768"),
        ("frame_deadline_and_trace", "version 402720768"),
        ("frame_bad_inner", "version 402720768"),
        ("frame_empty_inner", "version 402720768"),
        ("frame_bad_body", "version 4294967040"),
        ("frame_too_large", "version 1"),
    ]
}

fn outcome(result: &Result<Option<Request>, DecodeError>) -> String {
    match result {
        Ok(None) => "incomplete".to_owned(),
        Ok(Some(request)) => format!("ok {}", request.kind()),
        Err(DecodeError::Version { received, .. }) => format!("version {}", received.0),
        Err(DecodeError::Frame(wire_frame::FrameError::TooLong { .. })) => "too large".to_owned(),
        Err(_) => "undecodable".to_owned(),
    }
}

fn expected_outcome(recorded: &Value) -> String {
    match (text(recorded, "outcome"), recorded["error"].as_str()) {
        ("incomplete", _) => "incomplete".to_owned(),
        ("ok", _) => format!("ok {}", text(recorded, "variant")),
        (_, Some("VersionMismatch")) => format!("version {}", recorded["received"]),
        (_, Some("MessageTooLarge")) => "too large".to_owned(),
        (_, Some("Deserialization")) => "undecodable".to_owned(),
        other => panic!("{other:?}"),
    }
}
