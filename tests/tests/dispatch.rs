//! The dispatcher against what the released dual decoder made of raw buffers.

use bytes::BytesMut;
use conformance::vectors::{bytes, list, text};
use ipc_model::{Request, Response};
use serde_json::Value;
use wire_dispatch::{CutError, DecodeError, Lane, Received, ServerMachine, Step, Wires, receive};
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

#[test]
fn the_numbers_of_later_releases_are_refused_in_their_own_number_and_codec() {
    let machine = ServerMachine::new("1.12.0", Wires::ALL);
    for (number, lane, in_kind) in [
        (17_u32, Lane::V15, true),
        (23, Lane::V15, true),
        (24, Lane::V16, true),
        (26, Lane::V16, true),
        // Any other with the released refusal, which is v15.
        (0, Lane::V15, false),
        (14, Lane::V15, false),
        (18, Lane::V15, false),
        (25, Lane::V15, false),
    ] {
        let head = [&[4, 1, 0, 0][..], &number.to_le_bytes()].concat();
        let Step::Refuse(refusal) = machine.step(&mut BytesMut::from(&head[..])) else { panic!("{number}") };
        let mut frame = BytesMut::new();
        machine.reply(&refusal.reply_to, &refusal.reply, &mut frame).expect("fits");
        let sent_as = u32::from_le_bytes(frame[4..8].try_into().expect("four bytes"));
        let own = if lane == Lane::V15 { 15 } else { 16 };
        assert_eq!(sent_as, if in_kind { number } else { own });
        frame[4..8].copy_from_slice(&u32::to_le_bytes(own));
        match receive::<Response>(&mut frame, Wires::ALL) {
            Ok(Received::Message(reply)) => {
                assert_eq!(reply.lane, lane, "{number}");
                let Response::Error(error) = reply.message else { panic!("{number}: {:?}", reply.message) };
                assert!(wire_dispatch::mismatch::is_refusal(&error.message), "{}", error.message);
                assert!(error.message.contains(&format!("received a request at protocol v{number}.")));
            }
            other => panic!("{number}: {other:?}"),
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
        Ok(Received::Undecodable { lane, ids, error: DecodeError::Convert(_), .. }) => {
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
