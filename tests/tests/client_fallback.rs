//! Our control round trip against the scripted servers that the released one was recorded with.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use conformance::vectors::{list, text};
use ipc_model::Response;
use serde_json::Value;
use testkit::TempEndpoint;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use wire_dispatch::WirePolicy;
use wire_json::from_json;
use zccache_ipc::endpoint::{Claim, DirPolicy, Endpoint, Stream};
use zccache_ipc::{CallError, DaemonControlRequest, IpcError, daemon_control_roundtrip};

const PATIENCE: Duration = Duration::from_secs(60);

/// Where our client does otherwise, on purpose: the case, how many connections it makes, and how it ends.
///
/// * Echoed ids are compared: a reply with the ids of another request is no reply to this one.
/// * Only the released mismatch texts, by their start, are taken for a refusal.
/// * `Clear` and `Shutdown` are never sent twice: an unknown daemon is asked a harmless question first.
/// * A reply is decoded by its own number, also where that is of another generation.
/// * A close without an answer is an error, not an absent answer.
const DELIBERATE: &[(&str, usize, &str)] = &[
    ("auto: v16 Pong with wrong echoed request_id", 1, "foreign reply"),
    ("auto: FrameV1 Pong reply to v16 request", 1, "foreign reply"),
    ("auto: v16 Error with mismatch text", 1, "foreign reply"),
    ("auto: v16 response outside control slice (FingerprintAck)", 1, "foreign reply"),
    ("frame: ping", 1, "foreign reply"),
    ("frame: ping with wrong echoed frame id", 1, "foreign reply"),
    ("auto: v15 Error 'PROTOCOL VERSION MISMATCH' (case)", 1, "Error"),
    ("auto: v15 Error containing 'PROTOCOL_VERSION'", 1, "Error"),
    ("auto: v15 Error 'expected v15 ... received v16'", 1, "Error"),
    ("auto: v15 Error 'received v16 but expected v15' (reverse order)", 1, "Error"),
    // A number of a later generation is decoded as what it is.
    ("auto: frame with version 17", 1, "Pong"),
    // The question goes unanswered twice; what must not be done twice was never asked for.
    ("auto: Clear close -> resent", 2, "outcome unknown"),
    ("auto: Shutdown close -> resent", 2, "outcome unknown"),
    ("auto: fallback then clean close", 2, "closed"),
    ("prost: clean close, no fallback", 1, "closed"),
    ("prost: status", 1, "closed"),
    ("bincode: clean close", 1, "outcome unknown"),
    ("frame: clean close", 1, "outcome unknown"),
];

#[tokio::test]
async fn every_recorded_script_ends_as_recorded() {
    let _watchdog = testkit::watchdog(Duration::from_secs(60));
    let cases = list("client_fallback.json", "cases");
    assert_eq!(cases.len(), 41);
    for case in cases {
        let name = text(&case, "name");
        let place = TempEndpoint::new();
        let received = serve(&place, &case["server_script"]);
        let result = match WirePolicy::parse(case["ZCCACHE_DAEMON_WIRE"].as_str()) {
            Err(error) => Err(format!("endpoint error: {error}")),
            Ok(policy) => {
                let timeout = case["recv_timeout_ms"].as_u64().map(Duration::from_millis);
                let request = control_request(text(&case, "request"));
                Ok(daemon_control_roundtrip(place.name(), request, policy, timeout.or(Some(PATIENCE))).await)
            }
        };
        let observed = &case["observed"];
        let frames = received.lock().expect("no panic").clone();
        match DELIBERATE.iter().find(|(different, ..)| *different == name) {
            Some((_, connections, end)) => {
                assert_eq!(ended(&result), *end, "{name}: {result:?}");
                assert_eq!(frames.len(), *connections, "{name}: {frames:?}");
            }
            None => {
                check(name, &result, &observed["result"]);
                assert_eq!(Some(frames.len() as u64), observed["connections"].as_u64(), "{name}: {frames:?}");
                let recorded = observed["received_hex"].as_array().expect("a list");
                for (ours, theirs) in frames.iter().zip(recorded) {
                    assert!(theirs == "(unread)" || theirs == ours, "{name}: {ours} is not {theirs}");
                }
            }
        }
    }
}

/// Plays one action of the script for each connection; returns what each connection sent first.
fn serve(place: &TempEndpoint, script: &Value) -> Arc<Mutex<Vec<String>>> {
    let lock_file = place.dir().join("daemon.lock");
    let mut claim =
        Claim::take(&Endpoint::new(place.name()), &lock_file, DirPolicy::Dedicated).expect("a free endpoint");
    let listener = claim.bind().expect("binds");
    let received = Arc::new(Mutex::new(Vec::new()));
    let sent = Arc::clone(&received);
    let script: Vec<String> = script
        .as_array()
        .expect("a script")
        .iter()
        .map(|action| action.as_str().expect("text").into())
        .collect();
    tokio::spawn(async move {
        let _claim = claim;
        let mut held = Vec::new();
        for action in script {
            let Ok(mut stream) = listener.accept().await else { return };
            if action == "close without reading" {
                // Something must be unread, or the close is a clean one.
                stream.read_exact(&mut [0]).await.expect("the first byte");
                sent.lock().expect("no panic").push("(unread)".to_owned());
                continue;
            }
            let frame = read_frame(&mut stream).await;
            sent.lock().expect("no panic").push(frame);
            if let Some(reply) = action.strip_prefix("reply ") {
                stream.write_all(&hex::decode(reply).expect("hex")).await.expect("written");
                held.push(stream);
            } else if let Some(partial) = action.strip_prefix("partial ") {
                let partial = partial.split(' ').next().expect("hex");
                stream.write_all(&hex::decode(partial).expect("hex")).await.expect("written");
            } else if action == "read, never answer" {
                held.push(stream);
            } else {
                assert_eq!(action, "read then close");
            }
        }
        // What comes after the script is heard and not answered: the connections end with this task.
        for mut stream in held {
            let _ = stream.read(&mut [0; 64]).await;
        }
    });
    received
}

async fn read_frame(stream: &mut Stream) -> String {
    let mut buffer = vec![0; 256];
    let read = stream.read(&mut buffer).await.expect("readable");
    hex::encode(&buffer[..read])
}

fn control_request(name: &str) -> DaemonControlRequest {
    match name {
        "Ping" => DaemonControlRequest::Ping,
        "Status" => DaemonControlRequest::Status,
        "Shutdown" => DaemonControlRequest::Shutdown,
        "Clear" => DaemonControlRequest::Clear,
        other => panic!("{other}"),
    }
}

type Roundtrip = Result<Result<Response, CallError>, String>;

fn ended(result: &Roundtrip) -> String {
    match result {
        Ok(Ok(response)) => response.kind().to_string(),
        Ok(Err(CallError::OutcomeUnknown { .. })) => "outcome unknown".to_owned(),
        Ok(Err(CallError::Ipc(IpcError::ForeignReply { .. }))) => "foreign reply".to_owned(),
        Ok(Err(CallError::Ipc(IpcError::Closed))) => "closed".to_owned(),
        Ok(Err(error)) => format!("{error:?}"),
        Err(error) => error.clone(),
    }
}

/// Compares with what the released client returned; of its errors, whose texts are prose, what they are about.
fn check(name: &str, result: &Roundtrip, recorded: &Value) {
    let error = recorded["err"].as_str();
    match (result, error) {
        (Ok(Ok(response)), None) => {
            let form = serde_json::json!({ "variant": recorded["ok"], "message": recorded["message"] });
            assert_eq!(*response, from_json(&form).expect("a response"), "{name}");
        }
        (Err(ours), Some(theirs)) => assert_eq!(ours, theirs, "{name}"),
        (Ok(Err(CallError::Ipc(IpcError::TimedOut(_)))), Some(theirs)) => {
            assert!(theirs.contains("timed out"), "{name}: {theirs}");
        }
        (Ok(Err(CallError::Ipc(IpcError::Version { .. }))), Some(theirs)) => {
            assert!(theirs.contains("version mismatch"), "{name}: {theirs}");
        }
        (Ok(Err(CallError::Ipc(IpcError::Decode(_)))), Some(theirs)) => {
            assert!(
                theirs.contains("deserialization error") || theirs.contains("too large"),
                "{name}: {theirs}"
            );
        }
        (Ok(Err(CallError::Unexpected { .. })), Some(theirs)) => {
            assert!(theirs.contains("unsupported v16 prost control response"), "{name}: {theirs}");
        }
        (ours, _) => panic!("{name}: {ours:?}, recorded {recorded}"),
    }
}
