//! Step 3 of `docs/adopting.md`: frames and messages, without sockets.

use std::sync::Arc;

use prost::Message as _;
use zccache_ipc::model::{
    ArtifactData, ArtifactOutput, ArtifactPayload, ExecOutputStreams, LookupResult, PrivateDaemonStatus,
    Request, Response, Store,
};
use zccache_ipc::wire_v15::{self, SerdeBody, bytes::Bytes};
use zccache_ipc::wire_v16::{self, ConvertError, Generation, control, generated::zccache_v1};

#[test]
fn messages_are_framed_in_bincode() {
    let mut frame = wire_v15::encode(&Request::Status).expect("encodes");
    assert_eq!(wire_v15::decode_frame::<Request>(&mut frame).expect("decodes"), Some(Request::Status));
    assert!(frame.is_empty());
    let mut half = Bytes::from_static(&[8, 0, 0, 0, 15]);
    assert_eq!(wire_v15::decode_frame::<Request>(&mut half).expect("more must arrive"), None);
}

#[test]
fn messages_are_converted_to_the_generated_ones_and_back() {
    let wire: zccache_v1::Request = wire_v16::to_wire(&Request::Ping, "control-ping").expect("converts");
    let decoded =
        wire_v16::from_wire::<Request>(zccache_v1::Request::decode(&*wire.encode_to_vec()).unwrap());
    assert_eq!((decoded.message, &*decoded.request_id), (Ok(Request::Ping), "control-ping"));
    // The filter of the control round trips.
    assert_eq!(control::from_wire::<Request>(wire).message, Ok(Request::Ping));
    let compile = wire_v16::to_wire(&Request::ListRustArtifacts, "").expect("converts");
    assert!(control::from_wire::<Request>(compile).message.is_err());
    assert!(control::accepts_request(Request::Clear.kind()));
    let empty = wire_v16::from_wire::<Request>(zccache_v1::Request::default());
    assert!(matches!(empty.message, Err(ConvertError::NoBody { .. })));
    assert!(wire_v16::carries(&Request::Ping, Generation::V16));
}

/// A type that the caller has not moved yet.
#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Own {
    key: String,
    size: u64,
}

#[test]
fn a_callers_own_serde_type_is_sent_unchanged() {
    let own = || SerdeBody(Own { key: "k".into(), size: 7 });
    let frame = wire_v15::encode(&own()).expect("encodes");
    assert_eq!(wire_v15::decode_frame(&mut frame.clone()).expect("decodes"), Some(own()));
}

#[test]
fn payloads_are_shared_vectors_and_defaults_are_the_published_ones() {
    let contents = Arc::new(vec![7_u8; 10_000]);
    let payload = ArtifactPayload::from(Arc::clone(&contents));
    assert_eq!((payload.size_bytes(), payload.as_bytes()), (Some(10_000), Some(&contents[..])));
    let outputs = vec![ArtifactOutput { name: "a.o".into(), payload }];
    let artifact = ArtifactData { outputs, ..ArtifactData::default() };
    let store = Request::from(Store { cache_key: "k".into(), artifact: artifact.clone() });
    let mut frame = wire_v15::encode(&store).expect("encodes");
    assert_eq!(wire_v15::decode_frame(&mut frame).expect("decodes"), Some(store));
    let hit = Response::LookupResult(LookupResult::from(Some(artifact)));
    let Response::LookupResult(LookupResult::Hit { mut artifact }) = hit else { panic!("a hit") };
    let payload = artifact.outputs.pop().expect("one output").payload;
    assert_eq!(payload.into_shared(), Some(contents));
    assert_eq!(ExecOutputStreams::default(), ExecOutputStreams { stdout: true, stderr: true });
    assert!(!PrivateDaemonStatus::shared().enabled);
}

#[test]
fn a_message_has_the_json_form_of_the_command_line() {
    let text = r#"{"Lookup":{"cache_key":"k"}}"#;
    let request: Request = serde_json::from_str(text).expect("a request");
    assert_eq!(serde_json::to_string(&request).expect("text"), text);
    assert_eq!(serde_json::to_string(&Request::Ping).expect("text"), r#""Ping""#);
}
