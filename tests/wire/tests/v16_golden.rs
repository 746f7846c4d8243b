//! Wire v16 and the FrameV1 lane against the bytes of the published packages.

use std::fmt::Debug;

use bytes::{Bytes, BytesMut};
use ipc_model::{ReleaseWorktreeHandles, Request, RequestKind, Response, ResponseKind};
use prost::Message as _;
use serde_json::Value;
use wire_conformance::platform::assert_bytes;
use wire_conformance::vectors::{bytes, list, load, text};
use wire_json::{Form, from_json};
use wire_v16::frame_v1::{self, Kind};
use wire_v16::generated::zccache_v1 as wire;
use wire_v16::{
    Decoded, Message, control, decode_body, decode_frame, default_request_id, encode, encode_body, from_wire,
    to_wire,
};

/// Returns the recorded message of a vector or of a conversion.
fn recorded<M: wire_v15::Message + Form>(form: &Value) -> M {
    let form = serde_json::json!({ "variant": form["variant"], "message": form["message"] });
    from_json(&form).unwrap_or_else(|error| panic!("{form}: {error:?}"))
}

fn check<M>(vector: &Value)
where
    M: Message + wire_v15::Message + Form + PartialEq + Debug,
{
    let name = &vector["name"];
    let frame = bytes(vector, "hex");
    let expected: M = recorded(vector);
    let request_id = text(vector, "request_id");
    let mut buffer = Bytes::from(frame.clone());
    let (body, encoded) = if vector["lane"] == "v16" {
        let body = decode_frame::<M>(&mut buffer).expect("a legal frame").expect("a complete frame");
        (body, encode(&expected, request_id).expect("encodes"))
    } else {
        let kind = if vector["direction"] == "request" { Kind::Request } else { Kind::Response };
        let frame_request_id = vector["frame_request_id"].as_u64().expect("an id");
        let decoded =
            frame_v1::decode_frame::<M>(&mut buffer).expect("a legal envelope").expect("a complete envelope");
        assert_eq!((decoded.kind, decoded.frame_request_id), (kind, frame_request_id), "{name}");
        let mut encoded = BytesMut::new();
        frame_v1::encode_into(&expected, request_id, frame_request_id, kind, &mut encoded).expect("encodes");
        (decoded.body, encoded.freeze())
    };
    assert!(buffer.is_empty(), "{name}");
    assert_bytes(&encoded, &frame, &name.to_string());
    assert_eq!(body, Decoded { message: Ok(expected), request_id: request_id.to_owned() }, "{name}");
}

#[test]
fn every_vector_decodes_to_its_value_and_encodes_to_its_bytes() {
    let mut count = 0;
    for vector in list("public.json", "vectors").iter().filter(|vector| vector["lane"] != "v15") {
        match text(vector, "direction") {
            "request" => check::<Request>(vector),
            _ => check::<Response>(vector),
        }
        count += 1;
    }
    assert_eq!(count, 518);
}

#[test]
fn the_encoder_and_prost_write_the_same_bytes() {
    for vector in list("public.json", "vectors").iter().filter(|vector| vector["lane"] == "v16") {
        let body = Bytes::from(bytes(vector, "hex")).slice(8..);
        let by_prost = match text(vector, "direction") {
            "request" => wire::Request::decode(body.clone()).expect("decodes").encode_to_vec(),
            _ => wire::Response::decode(body.clone()).expect("decodes").encode_to_vec(),
        };
        assert_eq!(hex::encode(by_prost), hex::encode(&body), "{}", vector["name"]);
    }
}

/// Checks the generated message of a vector's value: its bytes, and the value that it gives back.
fn check_generated<M>(vector: &Value)
where
    M: Message + wire_v15::Message + Form + PartialEq + Debug,
    M::Wire: PartialEq + Debug,
{
    let (name, request_id) = (text(vector, "name"), text(vector, "request_id"));
    let body = Bytes::from(bytes(vector, "hex")).slice(8..);
    let message: M = recorded(vector);
    let generated = to_wire(&message, request_id).expect("converts");
    assert_eq!(hex::encode(generated.encode_to_vec()), hex::encode(&body), "{name}");
    assert_eq!(M::Wire::decode(body).expect("decodes"), generated, "{name}");
    let back = Decoded { message: Ok(message), request_id: request_id.to_owned() };
    assert_eq!(from_wire::<M>(generated), back, "{name}");
}

#[test]
fn the_generated_message_of_every_value_has_the_recorded_bytes() {
    let mut count = 0;
    for vector in list("public.json", "vectors").iter().filter(|vector| vector["lane"] == "v16") {
        match text(vector, "direction") {
            "request" => check_generated::<Request>(vector),
            _ => check_generated::<Response>(vector),
        }
        count += 1;
    }
    assert_eq!(count, 259);
}

/// Runs one recorded conversion of a body, and the control slice's.
fn check_conversion<M>(case: &Value)
where
    M: Message + wire_v15::Message + Form + PartialEq + Debug,
{
    let name = text(case, "name");
    let payload = Bytes::from(bytes(case, "protobuf_hex"));

    let decoded = decode_body::<M>(payload.clone()).expect("protobuf of the schema");
    match (&decoded.message, &case["result"]["ok"]) {
        (Ok(message), form @ Value::Object(_)) => assert_eq!(*message, recorded::<M>(form), "{name}"),
        (Err(error), Value::Null) => assert_eq!(error.to_string(), text(&case["result"], "err"), "{name}"),
        (other, _) => panic!("{name}: {other:?}"),
    }

    let sliced = control::decode_body::<M>(payload).expect("protobuf of the schema");
    assert_eq!(sliced.request_id, decoded.request_id, "{name}");
    match (sliced.message, case["control_slice"]["ok"].as_str()) {
        (Ok(message), Some(variant)) => {
            assert_eq!(Ok(&message), decoded.message.as_ref(), "{name}");
            assert_eq!(case["result"]["ok"]["variant"], variant, "{name}");
        }
        (Err(error), None) => {
            let start = text(&case["control_slice"], "err_prefix");
            assert!(error.to_string().starts_with(start), "{name}: {error}");
        }
        (other, _) => panic!("{name}: {other:?}"),
    }
}

#[test]
fn every_recorded_conversion_ends_as_recorded() {
    let (requests, responses) =
        (list("conversion_public.json", "requests"), list("conversion_public.json", "responses"));
    assert_eq!(requests.len() + responses.len(), 53);
    requests.iter().for_each(check_conversion::<Request>);
    responses.iter().for_each(check_conversion::<Response>);
}

#[test]
fn an_undecodable_message_keeps_its_request_id() {
    for (direction, id) in [("requests", "pub"), ("responses", "pub")] {
        for case in list("conversion_public.json", direction) {
            let payload = Bytes::from(bytes(&case, "protobuf_hex"));
            // Some of the recorded bodies have no id at all.
            let expected = if payload.ends_with(id.as_bytes()) { id } else { "" };
            let read = match direction {
                "requests" => decode_body::<Request>(payload).map(|body| body.request_id),
                _ => decode_body::<Response>(payload).map(|body| body.request_id),
            };
            assert_eq!(read.expect("protobuf of the schema"), expected, "{case}");
        }
    }
}

#[test]
fn default_ids_and_the_control_slice_are_those_of_the_peers() {
    let file = load("wire_env.json");
    let rows = file["request_ids"].as_array().expect("rows");
    let (recorded, later) = RequestKind::ALL.split_at(rows.len());
    assert_eq!(later, [RequestKind::ExecProbe, RequestKind::ExecStore]);
    assert!(!later.iter().any(|kind| control::accepts_request(*kind)));
    assert_eq!(
        later.iter().map(|kind| default_request_id(*kind)).collect::<Vec<_>>(),
        ["exec-probe", "exec-store"]
    );
    for (row, kind) in rows.iter().zip(recorded) {
        assert_eq!(kind.name(), row["variant"]);
        assert_eq!(default_request_id(*kind), row["default_request_id"], "{kind}");
        assert_eq!(control::accepts_request(*kind), row["control_slice_allowed"], "{kind}");
    }
    let rows = file["response_control_slice"].as_array().expect("rows");
    let (recorded, later) = ResponseKind::ALL.split_at(rows.len());
    assert_eq!(later.len(), 3);
    assert!(!later.iter().any(|kind| control::accepts_response(*kind)));
    for (row, kind) in rows.iter().zip(recorded) {
        assert_eq!(kind.name(), row["variant"]);
        assert_eq!(control::accepts_response(*kind), row["control_slice_allowed"], "{kind}");
    }
}

#[test]
fn paths_are_normalised_when_received() {
    for case in list("paths_public.json", "cases") {
        let input = text(&case, "input");
        // A drive or a backslash is part of a name on Linux only.
        if cfg!(windows) && input.contains(['\\', ':']) {
            continue;
        }
        // A peer that does not normalise sends the input as it is.
        let path = wire::Path { value: input.to_owned() };
        let release = wire::ReleaseWorktreeHandles { path: Some(path) };
        let body = Some(wire::request::Body::ReleaseWorktreeHandles(release));
        let payload = wire::Request { body, request_id: String::new() }.encode_to_vec();
        match decode_body::<Request>(payload.into()).expect("protobuf of the schema").message {
            Ok(Request::ReleaseWorktreeHandles(ReleaseWorktreeHandles { path })) => {
                let recorded = text(&case, "deserialized_from_raw");
                let expected = if cfg!(windows) { recorded.replace('/', "\\") } else { recorded.to_owned() };
                assert_eq!(path.to_wire(), Ok(expected.as_str()), "{case}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn unknown_fields_unpacked_numbers_and_any_order_are_read() {
    let check = |payload: &str, expected: &str| {
        let payload = hex::decode(payload).expect("hex");
        let body = decode_body::<Request>(payload.into()).expect("protobuf of the schema");
        assert_eq!(format!("{:?}", body.message), expected);
        assert_eq!(body.request_id, "a");
    };
    check("a20601610a00", "Ok(Ping)");
    check("a20601610a001200", "Ok(Shutdown)");
    check("a20601610a00f8ff0101", "Ok(Ping)");
    check("a2060162a20601610a027801", "Ok(Ping)");
}

#[test]
fn two_frames_in_one_buffer_are_read_one_after_the_other() {
    let mut buffer = BytesMut::new();
    wire_v16::encode_into(&Request::Ping, "one", &mut buffer).expect("encodes");
    wire_v16::encode_into(&Request::Status, "two", &mut buffer).expect("encodes");
    let mut buffer = buffer.freeze();
    for (message, id) in [(Request::Ping, "one"), (Request::Status, "two")] {
        let read = decode_frame(&mut buffer).expect("legal").expect("complete");
        assert_eq!(read, Decoded { message: Ok(message), request_id: id.to_owned() });
    }
    assert_eq!(decode_frame::<Request>(&mut buffer), Ok(None));
}

#[test]
fn a_body_alone_is_what_the_frame_holds() {
    let mut body = BytesMut::from(&b"before"[..]);
    encode_body(&Request::Ping, "control-ping", &mut body).expect("encodes");
    assert_eq!(&body[6..], &encode(&Request::Ping, "control-ping").expect("encodes")[8..]);
}
