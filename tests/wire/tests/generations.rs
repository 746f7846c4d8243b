//! Every generation against the bytes of the published packages.

use std::fmt::Debug;

use bytes::BytesMut;
use ipc_model::{Request, Response};
use serde_json::{Value, json};
use wire_conformance::platform::{assert_bytes, on_this_platform};
use wire_conformance::vectors::{bytes, list, load, text};
use wire_dispatch::{
    CutError, DecodeError, Dialect, FrameKind, Ids, Message, Received, ServerMachine, Step, Wires, encode,
    receive,
};
use wire_frame::Version;
use wire_json::{Form, from_json_on, to_json_on};

fn dialect(vector: &Value) -> Dialect {
    match vector["version"].as_u64() {
        Some(number) => Dialect::of(Version(number as u32)).expect("a known number"),
        None => Dialect::FrameV1,
    }
}

fn ids(vector: &Value) -> Ids {
    Ids {
        request_id: vector["request_id"].as_str().unwrap_or_default().to_owned(),
        frame_request_id: vector["frame_request_id"].as_u64().unwrap_or_default(),
    }
}

fn received<M: Message + Form + Debug>(vector: &Value) -> (Dialect, Ids, M) {
    let mut buffer = BytesMut::from(&bytes(vector, "hex")[..]);
    match receive::<M>(&mut buffer, Wires::ALL) {
        Ok(Received::Message(message)) => {
            assert!(buffer.is_empty(), "{}", vector["name"]);
            (message.dialect(), message.ids.clone(), message.message)
        }
        other => panic!("{}: {other:?}", vector["name"]),
    }
}

/// The value, to its bytes and back, and to its JSON form and back.
fn check<M: Message + Form + PartialEq + Debug>(vector: &Value, kind: FrameKind) {
    let name = &vector["name"];
    let (came_in, came_with, actual) = received::<M>(vector);
    assert_eq!((came_in, &came_with), (dialect(vector), &ids(vector)), "{name}");

    let lane = came_in.lane().name();
    let form = json!({ "variant": vector["variant"], "message": vector["message"], "lane": lane, "version": vector["version"] });
    let expected = from_json_on::<M>(&form).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    assert_eq!(expected.message, actual, "{name}");

    let mut encoded = BytesMut::new();
    encode(&actual, came_in, &came_with, kind, &mut encoded)
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_bytes(&encoded, &bytes(vector, "hex"), &name.to_string());

    let mut form = to_json_on(&actual, came_in, &came_with).expect("has a form");
    assert_eq!(from_json_on::<M>(&form).expect("reads back").message, actual, "{name}");
    // FrameV1 tells an unset field of a status from one that the release lacks no more than number 16 does.
    if vector["variant"] == "Status" && came_in == Dialect::FrameV1 {
        for field in ["watcher_active", "watcher_degradations", "index_writer_gone"] {
            if let Some(value) = vector["message"].get(field) {
                form["message"][field] = value.clone();
            }
        }
    }
    let message = on_this_platform(&vector["message"], &form["message"]);
    assert_eq!((&form["variant"], &form["message"]), (&vector["variant"], &message), "{name}");
    let version = vector["version"].as_u64().filter(|number| !matches!(number, 15 | 16));
    assert_eq!(form["version"].as_u64(), version, "{name}");
}

#[test]
fn every_vector_is_its_value_and_its_bytes() {
    let vectors = list("generations_public.json", "vectors");
    assert_eq!(vectors.len(), 1244);
    for vector in &vectors {
        match text(vector, "direction") {
            "request" => check::<Request>(vector, FrameKind::Request),
            _ => check::<Response>(vector, FrameKind::Response),
        }
    }
}

#[test]
fn a_server_answers_every_request_in_its_own_dialect() {
    let machine = ServerMachine::new("1.13.5", Wires::ALL);
    let vectors = list("generations_public.json", "vectors");
    for vector in vectors.iter().filter(|vector| vector["direction"] == "request") {
        let mut buffer = BytesMut::from(&bytes(vector, "hex")[..]);
        let Step::Answer { reply_to, .. } = machine.step(&mut buffer) else { panic!("{}", vector["name"]) };
        assert_eq!(reply_to.dialect(), dialect(vector), "{}", vector["name"]);
        let mut reply = BytesMut::new();
        machine.reply(&reply_to, &Response::Pong, &mut reply).expect("fits");
        let Ok(Received::Message(reply)) = receive::<Response>(&mut reply, Wires::ALL) else {
            panic!("no reply")
        };
        assert_eq!((reply.dialect(), reply.ids), (dialect(vector), ids(vector)), "{}", vector["name"]);
    }
}

/// Releases 1.12.10 to 1.12.17 write a ping or a pong for a message that their protobuf lacks; ours is an error.
#[test]
fn a_message_that_a_release_cannot_carry_is_refused_unchanged() {
    let vectors = list("generations_public.json", "not_carried");
    assert_eq!(vectors.len(), 48);
    for vector in &vectors {
        let name = &vector["name"];
        let form = json!({ "variant": vector["variant"], "message": vector["message"] });
        let refused = |result: Result<(), wire_dispatch::EncodeError>| {
            // FrameV1 has no number: whether the daemon knows the request is seen from its answer.
            if dialect(vector) == Dialect::FrameV1 {
                assert!(result.is_ok(), "{name}: {result:?}");
            } else {
                let is_refused = matches!(result, Err(wire_dispatch::EncodeError::NotCarried { .. }));
                assert!(is_refused, "{name}: {result:?}");
            }
        };
        let mut out = BytesMut::new();
        if vector["direction"] == "request" {
            assert_eq!(received::<Request>(vector), (dialect(vector), ids(vector), Request::Ping), "{name}");
            let message = from_json_on::<Request>(&form).expect("a request").message;
            refused(encode(&message, dialect(vector), &ids(vector), FrameKind::Request, &mut out));
        } else {
            assert_eq!(
                received::<Response>(vector),
                (dialect(vector), ids(vector), Response::Pong),
                "{name}"
            );
            let message = from_json_on::<Response>(&form).expect("a response").message;
            refused(encode(&message, dialect(vector), &ids(vector), FrameKind::Response, &mut out));
        }
    }
}

/// Each release's decoder, and ours that speaks the same numbers.
///
/// Where ours ends otherwise, on purpose: a foreign number is refused as such whatever the length, and at its
/// head, so that nothing is consumed.
#[test]
fn each_number_ends_as_the_releases_decoder_ends_it() {
    let file = load("generations_public.json");
    let releases = file["decode_by_header_version"].as_object().expect("releases");
    assert_eq!(releases.len(), 3);
    for (release, cases) in releases {
        let own = |lane: &str| {
            let number = file["numbers"][release][lane].as_u64().expect("a number") as u32;
            Dialect::of(Version(number)).expect("known")
        };
        let wires = Wires::of(&[own("bincode"), own("prost"), Dialect::FrameV1]);
        let cases = cases.as_array().expect("cases");
        assert_eq!(cases.len(), 32, "{release}");
        for case in cases {
            let (number, length) =
                (case["header_version"].as_u64().expect("n"), case["length"].as_u64().expect("n"));
            let mut frame = (length as u32).to_le_bytes().to_vec();
            frame.extend((number as u32).to_le_bytes());
            frame.resize(length as usize + 4, 0);
            let (mut theirs, mut all) = (BytesMut::from(&frame[..]), BytesMut::from(&frame[..]));
            let result = receive::<Request>(&mut theirs, wires);
            let consumed = (frame.len() - theirs.len()) as u64;
            match &result {
                Ok(Received::Message(message)) => {
                    assert_eq!(case["result"]["bincode"], message.message.kind().name(), "{release} {case}");
                    assert_eq!(Some(consumed), case["consumed"].as_u64(), "{release} {case}");
                }
                Ok(Received::Undecodable { dialect, .. }) if *dialect != Dialect::FrameV1 => {
                    assert!(
                        text(&case["result"], "error").starts_with("deserialization error"),
                        "{release} {case}"
                    );
                    assert_eq!(Some(consumed), case["consumed"].as_u64(), "{release} {case}");
                }
                // The number 0 with a length of low byte 1 is an envelope for both.
                Ok(Received::Undecodable { .. }) => {
                    assert_eq!((number, length % 256), (0, 1), "{release} {case}");
                }
                Err(DecodeError::Cut(CutError::Version { received })) => {
                    assert_eq!(u64::from(received.0), number);
                    assert_eq!((consumed, case["consumed"].as_u64()), (0, Some(0)), "{release} {case}");
                    let error = text(&case["result"], "error");
                    let expected =
                        if length % 256 == 1 { "message too large" } else { "protocol version mismatch" };
                    assert!(error.starts_with(expected), "{release} {case}");
                }
                other => panic!("{release} {case}: {other:?}"),
            }
            // The daemon that speaks all of them refuses only what no release has.
            let known = Dialect::of(Version(number as u32)).is_some();
            let refused = matches!(
                receive::<Request>(&mut all, Wires::ALL),
                Err(DecodeError::Cut(CutError::Version { .. }))
            );
            assert_eq!(refused, !known && number != 0 || number == 0 && length == 8, "{case}");
        }
    }
}

#[test]
fn map_entries_are_read_in_any_order_and_form_and_the_last_of_equal_keys_counts() {
    let check = |body: &[u8], expected: &[(&str, u64)]| {
        // SessionEnded { stats { lookup_outcomes { entries } } }
        let nested = |number: u8, inner: &[u8]| [&[number << 3 | 2, inner.len() as u8][..], inner].concat();
        let stats = nested(13, body);
        let frame = nested(8, &nested(1, &stats));
        let decoded = wire_v16::decode_body::<Response>(frame.into()).expect("protobuf of the schema");
        let Ok(Response::SessionEnded(reply)) = decoded.message else { panic!("{:?}", decoded.message) };
        let outcomes = reply.stats.expect("figures").lookup_outcomes.expect("present");
        let expected: ipc_model::Counters =
            expected.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        assert_eq!(outcomes.depgraph_other_miss, expected, "{body:02x?}");
    };
    let entry = |bytes: &[u8]| [&[0x22, bytes.len() as u8][..], bytes].concat();
    let (a1, b2) = (entry(&[0x0a, 1, b'a', 0x10, 1]), entry(&[0x0a, 1, b'b', 0x10, 2]));
    check(&[], &[]);
    check(&[a1.clone(), b2.clone()].concat(), &[("a", 1), ("b", 2)]);
    check(&[b2.clone(), a1.clone()].concat(), &[("a", 1), ("b", 2)]);
    // Value before key, defaults left out or written, unknown fields within.
    check(&entry(&[0x10, 7, 0x0a, 1, b'a']), &[("a", 7)]);
    check(&entry(&[]), &[("", 0)]);
    check(&entry(&[0x0a, 0, 0x10, 0]), &[("", 0)]);
    check(&entry(&[0x10, 5]), &[("", 5)]);
    check(&entry(&[0x0a, 1, b'a', 0x18, 9]), &[("a", 0)]);
    check(&[a1.clone(), entry(&[0x0a, 1, b'a', 0x10, 9])].concat(), &[("a", 9)]);
    check(&[a1, entry(&[0x0a, 1, b'a'])].concat(), &[("a", 0)]);
}

#[test]
fn bincode_maps_are_read_in_any_order_and_the_last_of_equal_keys_counts() {
    let mut stats = vec![0; 11 * 8];
    stats.extend([0; 3 * 8]);
    stats.extend(3_u64.to_le_bytes());
    for (name, value) in [("b", 1_u64), ("a", 2), ("b", 3)] {
        stats.extend((name.len() as u64).to_le_bytes());
        stats.extend(name.as_bytes());
        stats.extend(value.to_le_bytes());
    }
    stats.push(0);
    let body = [&7_u32.to_le_bytes()[..], &[1], &stats].concat();
    let response: Response =
        wire_v15::decode_in(&body.into(), wire_v15::Generation::V17).expect("a response");
    let Response::SessionEnded(reply) = response else { panic!("{response:?}") };
    let outcomes = reply.stats.expect("figures").lookup_outcomes.expect("always there");
    assert_eq!(Vec::from_iter(outcomes.depgraph_other_miss), [("a".to_owned(), 2), ("b".to_owned(), 3)]);
}
