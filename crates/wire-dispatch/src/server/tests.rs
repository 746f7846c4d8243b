//! The replies and refusals of the machine.

use bytes::BytesMut;
use ipc_model::{ExecStore, Request};

use super::*;
use crate::encode;

const ID: &str = "r";
const FRAME_ID: u64 = 7;

fn machine() -> ServerMachine {
    ServerMachine::new("1.12.0", Wires::ALL)
}

fn frame(dialect: Dialect, request_id: &str) -> BytesMut {
    let ids = Ids { request_id: request_id.to_owned(), frame_request_id: FRAME_ID };
    let mut frame = BytesMut::new();
    encode(&Request::Ping, dialect, &ids, Kind::Request, &mut frame).unwrap();
    frame
}

/// Returns the dialect and the ids of the reply to whatever is in `received`.
fn reply_to(machine: &ServerMachine, received: &[u8]) -> (bool, Dialect, Ids) {
    match machine.step(&mut BytesMut::from(received)) {
        Step::Answer { reply_to, .. } => (true, reply_to.dialect, reply_to.ids),
        Step::Reject(refusal) | Step::Refuse(refusal) | Step::Foreign { refusal, .. } => {
            (false, refusal.reply_to.dialect, refusal.reply_to.ids)
        }
        Step::Read { .. } => panic!("{received:02x?} is not whole"),
    }
}

#[test]
fn an_id_at_the_limit_is_answered_and_a_longer_one_is_not_repeated() {
    for (length, is_answered) in [(MAX_REQUEST_ID, true), (MAX_REQUEST_ID + 1, false)] {
        let id = "i".repeat(length);
        for dialect in [Dialect::V16, Dialect::FrameV1] {
            let (answered, by, ids) = reply_to(&machine(), &frame(dialect, &id));
            assert_eq!((answered, by), (is_answered, dialect), "{length}");
            assert_eq!(ids.request_id.len(), if is_answered { length } else { 0 });
        }
    }
}

#[test]
fn the_id_of_a_request_without_contents_is_repeated_up_to_the_limit() {
    for (length, repeated) in [(1, 1), (MAX_REQUEST_ID, MAX_REQUEST_ID), (MAX_REQUEST_ID + 1, 0)] {
        let mut request = frame(Dialect::V16, &"i".repeat(length));
        // An unknown field in the place of the empty ping.
        assert_eq!(request[8..10], [0x0a, 0x00]);
        request[8] = 0x7a;
        let (answered, by, ids) = reply_to(&machine(), &request);
        assert_eq!((answered, by, ids.request_id.len()), (false, Dialect::V16, repeated));
    }
}

#[test]
fn a_request_that_its_number_does_not_have_is_refused_before_it_is_acted_on() {
    let stored = Request::from(ExecStore { cache_key_hex: "k".into(), result_bytes: "r".into() });
    let newest = Dialect::Protobuf(wire_v16::Generation::V24);
    let ids = Ids { request_id: ID.to_owned(), frame_request_id: FRAME_ID };
    let mut frame = BytesMut::new();
    encode(&stored, newest, &ids, Kind::Request, &mut frame).unwrap();
    for generation in wire_v16::Generation::ALL {
        let mut received = frame.clone();
        received[4..8].copy_from_slice(&generation.version().0.to_le_bytes());
        // The next request on the same connection.
        received.extend_from_slice(&self::frame(Dialect::V16, ID));
        match machine().step(&mut received) {
            Step::Answer { request, .. } => {
                assert_eq!((generation, request), (wire_v16::Generation::V24, stored.clone()));
            }
            Step::Reject(refusal) => {
                assert!(generation < wire_v16::Generation::V24, "{refusal:?}");
                assert_eq!(refusal.reply, Response::error("v16 prost request is missing its request body"));
                assert_eq!(
                    (refusal.reply_to.dialect, refusal.reply_to.ids),
                    (Dialect::Protobuf(generation), Ids { request_id: ID.to_owned(), frame_request_id: 0 })
                );
            }
            other => panic!("{generation:?}: {other:?}"),
        }
        assert!(reply_to(&machine(), &received).0, "the stream goes on");
    }
}

#[test]
fn the_refusal_of_an_envelope_has_the_frames_id() {
    let mut envelope = frame(Dialect::FrameV1, ID);
    // A wire type that does not exist.
    let ping = envelope.windows(4).position(|bytes| bytes == [0x0a, 0x00, 0xa2, 0x06]).unwrap();
    envelope[ping] = 0x0f;
    let (answered, by, ids) = reply_to(&machine(), &envelope);
    assert_eq!((answered, by, ids.frame_request_id), (false, Dialect::FrameV1, FRAME_ID));
}

#[test]
fn a_refusal_is_framed_as_its_sender_reads_it() {
    let header = |length: u32, number: u32| [length.to_le_bytes(), number.to_le_bytes()].concat();
    let check = |wires: Wires, length: u32, number: u32, expected: Dialect| {
        let machine = ServerMachine::new("1.12.0", wires);
        let (answered, by, ids) = reply_to(&machine, &header(length, number));
        assert_eq!((answered, by, ids), (false, expected, Ids::default()), "{wires:?} {length} {number}");
    };
    let too_long = wire_frame::MAX_LENGTH + 1;
    check(Wires::ALL, 100, 14, Dialect::V15);
    check(Wires::ALL, 100, 25, Dialect::FrameV1);
    check(Wires::ALL, too_long, 15, Dialect::V15);
    check(Wires::ALL, too_long, 16, Dialect::V16);
    // A daemon of 1.11.21 knows bincode alone.
    check(Wires::V15, 100, 14, Dialect::V15);
    check(Wires::V15, 100, 16, Dialect::V15);
    check(Wires::V15, 100, 25, Dialect::V15);
    check(Wires::V15, too_long, 15, Dialect::V15);
}

#[test]
fn a_body_that_cannot_be_converted_costs_one_frame_and_another_fault_the_connection() {
    let machine = machine();
    // An unknown field in the place of the ping: there is no request in the body.
    let mut rejected = frame(Dialect::V16, ID);
    rejected[8] = 0x7a;
    assert!(matches!(machine.step(&mut rejected), Step::Reject(_)));
    // A wire type that does not exist.
    let mut refused = frame(Dialect::V16, ID);
    refused[8] = 0x0f;
    assert!(matches!(machine.step(&mut refused), Step::Refuse(_)));
}

#[test]
fn a_short_and_a_long_frame_of_another_protocol_are_returned_whole() {
    for length in [10, 2 * wire_v15::SHARED_FROM] {
        let mut received = frame(Dialect::FrameV1, &"i".repeat(length));
        let protocol = received.windows(3).position(|bytes| bytes == [0xe3, 0xf4, 0x01]).unwrap();
        received[protocol] = 0xe4;
        let envelope = received[wire_v16::frame_v1::HEAD_LEN..].to_vec();
        match machine().step(&mut received) {
            Step::Foreign { frame, .. } => {
                assert_eq!((frame.protocol, &frame.envelope[..]), (0x7a64, &envelope[..]));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_reply_is_framed_with_the_ids_of_its_request() {
    for dialect in [Dialect::V15, Dialect::V16, Dialect::FrameV1] {
        let Step::Answer { reply_to, .. } = machine().step(&mut frame(dialect, ID)) else {
            panic!("{dialect}: a ping is answered")
        };
        let mut reply = BytesMut::from(&b""[..]);
        machine().reply(&reply_to, &Response::Pong, &mut reply).unwrap();
        let Ok(Received::Message(received)) = receive::<Response>(&mut reply, Wires::ALL) else {
            panic!("{dialect}: a reply is whole")
        };
        let ids = match dialect.lane() {
            Lane::V15 => Ids::default(),
            Lane::V16 => Ids { request_id: ID.to_owned(), frame_request_id: 0 },
            Lane::FrameV1 => Ids { request_id: ID.to_owned(), frame_request_id: FRAME_ID },
        };
        assert_eq!((received.dialect(), received.ids, received.message), (dialect, ids, Response::Pong));
    }
}
