//! The dispatcher against what the released dual decoder made of raw buffers.

use bytes::BytesMut;
use conformance::vectors::{bytes, list, text};
use ipc_model::Request;
use serde_json::Value;
use wire_dispatch::{CutError, DecodeError, Lane, Received, Wires, receive};
use wire_frame::FrameError;

/// Where ours ends otherwise, on purpose: as soon as eight bytes are there a version is judged, so that an
/// unknown one is refused before its body and never misread as an envelope; an illegal length is refused
/// at once; and a whole envelope is judged even when it is shorter than eight bytes. `STABILITY.md` has
/// the same list in words.
const DELIBERATE: &[(&str, &str)] = &[
    ("v17_incomplete", "version 17"),
    ("v17_len_low_byte_01", "version 17"),
    ("v14_len_low_byte_01", "version 14"),
    ("len_1", "undecodable"),
    ("len_1_eight_bytes", "undecodable"),
    ("frame_empty_body", "undecodable"),
    ("frame_short_body_2", "undecodable"),
];

#[test]
fn recorded_buffers_end_as_recorded() {
    let cases = list("decode_public.json", "cases");
    assert_eq!(cases.len(), 74);
    for case in cases {
        let name = text(&case, "name");
        let recorded = &case["request_decoder_dual"];
        let mut buffer = BytesMut::from(&bytes(&case, "hex")[..]);
        let before = buffer.len();
        let actual = outcome(receive::<Request>(&mut buffer, Wires::ALL));
        match DELIBERATE.iter().find(|(different, _)| *different == name) {
            Some((_, expected)) => {
                assert_eq!(actual, *expected, "{name}");
                assert_ne!(actual, expected_outcome(recorded), "{name} is no difference any more");
            }
            None => {
                assert_eq!(actual, expected_outcome(recorded), "{name}: {recorded}");
                assert_eq!(Some((before - buffer.len()) as u64), recorded["consumed"].as_u64(), "{name}");
            }
        }
    }
}

fn outcome(result: Result<Received<Request>, DecodeError>) -> String {
    let named = |lane, ids: &wire_dispatch::Ids| {
        let frame = if lane == Lane::FrameV1 { ids.frame_request_id.to_string() } else { String::new() };
        format!("{lane} {:?} {frame}", ids.request_id)
    };
    match result {
        Ok(Received::Read { .. }) => "incomplete".to_owned(),
        Ok(Received::Message(message)) => format!("ok {}", named(message.lane, &message.ids)),
        // The released decoder leaves it to the conversion to find out that there is no body.
        Ok(Received::Undecodable { lane, ids, error: DecodeError::Convert(_) }) => {
            format!("ok {}", named(lane, &ids))
        }
        Ok(Received::Undecodable { .. }) => "undecodable".to_owned(),
        Err(DecodeError::Cut(CutError::Version { received })) => format!("version {}", received.0),
        Err(DecodeError::Cut(CutError::Length { source: FrameError::TooLong { .. }, .. })) => {
            "too large".to_owned()
        }
        Err(_) => "undecodable".to_owned(),
    }
}

fn expected_outcome(recorded: &Value) -> String {
    match (text(recorded, "outcome"), recorded["error"].as_str()) {
        ("incomplete", _) => "incomplete".to_owned(),
        ("ok", _) => format!(
            "ok {} {:?} {}",
            text(recorded, "lane"),
            recorded["request_id"].as_str().unwrap_or_default(),
            recorded["frame_request_id"].as_u64().map(|id| id.to_string()).unwrap_or_default()
        ),
        (_, Some("VersionMismatch")) => format!("version {}", recorded["received"]),
        (_, Some("MessageTooLarge")) => "too large".to_owned(),
        (_, Some("Deserialization")) => "undecodable".to_owned(),
        other => panic!("{other:?}"),
    }
}
