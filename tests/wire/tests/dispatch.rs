//! The dispatcher against what the released dual decoder made of raw buffers.

use bytes::BytesMut;
use ipc_model::{Request, Response};
use serde_json::Value;
use wire_conformance::vectors::{bytes, list, load, text};
use wire_dispatch::{CutError, DecodeError, Dialect, Lane, Received, ServerMachine, Step, Wires, receive};
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
        // What releases 1.11.22 to 1.12.9 speak.
        let wires = Wires::of(&[Dialect::V15, Dialect::V16, Dialect::FrameV1]);
        let actual = outcome(receive::<Request>(&mut buffer, wires));
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
fn a_frame_of_another_protocol_is_handed_out_whole_with_its_refusal() {
    let vector = load("probe_public.json");
    let question = bytes(&vector, "request_hex");
    let machine = ServerMachine::new("1.12.0", Wires::ALL);
    let ping = [8, 0, 0, 0, 15, 0, 0, 0, 0, 0, 0, 0];
    let mut received = BytesMut::from(&[&question[..], &ping].concat()[..]);
    let Step::Foreign { frame, refusal } = machine.step(&mut received) else { panic!("not handed out") };
    assert_eq!((frame.protocol, &frame.envelope[..]), (0xB232, &question[5..]));
    assert_eq!(refusal.reply_to.lane(), Lane::FrameV1);
    assert!(matches!(machine.step(&mut received), Step::Answer { request: Request::Ping, .. }));
    // One envelope of our own number that is wrong in another way is nobody else's.
    let mut event = BytesMut::from(&[1, 10, 0, 0, 0, 8, 1, 0x10, 2, 0x18, 0xe3, 0xf4, 1, 0x28, 1][..]);
    assert!(matches!(machine.step(&mut event), Step::Refuse(_)));
    // Who speaks v15 only knows no envelopes at all.
    let old = ServerMachine::new("1.11.21", Wires::V15);
    assert!(matches!(old.step(&mut BytesMut::from(&question[..])), Step::Refuse(_)));
}

#[test]
fn an_unknown_number_is_refused_in_a_frame_that_its_sender_can_read() {
    let machine = ServerMachine::new("1.13.5", Wires::ALL);
    // Releases up to 1.11.21 read number 15 alone, and send none above it; all later ones read FrameV1.
    for (number, lane) in [
        (0_u32, Lane::V15),
        (9, Lane::V15),
        (14, Lane::V15),
        (20, Lane::FrameV1),
        (21, Lane::FrameV1),
        (22, Lane::FrameV1),
        (25, Lane::FrameV1),
        (26, Lane::FrameV1),
        (31331, Lane::FrameV1),
    ] {
        let head = [&[4, 1, 0, 0][..], &number.to_le_bytes()].concat();
        let Step::Refuse(refusal) = machine.step(&mut BytesMut::from(&head[..])) else { panic!("{number}") };
        let mut frame = BytesMut::new();
        machine.reply(&refusal.reply_to, &refusal.reply, &mut frame).expect("fits");
        match receive::<Response>(&mut frame, Wires::ALL) {
            Ok(Received::Message(reply)) => {
                assert_eq!((reply.lane, reply.ids.frame_request_id), (lane, 0), "{number}");
                let Response::Error(error) = reply.message else { panic!("{number}: {:?}", reply.message) };
                assert!(wire_dispatch::mismatch::is_refusal(&error.message), "{}", error.message);
                let says = format!("v1.13.5 (protocol v24) received a request at protocol v{number}.");
                assert!(error.message.contains(&says), "{}", error.message);
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
        Ok(Received::Undecodable { dialect, ids, error: DecodeError::Convert(_), .. }) => {
            format!("ok {}", named(dialect.lane(), &ids))
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
