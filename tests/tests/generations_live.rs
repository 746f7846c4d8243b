//! Our daemon and our client against recordings of releases of the later generations.

#![cfg(target_os = "linux")]

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::BytesMut;
use conformance::vectors::{bytes, load, text};
use ipc_model::Response;
use serde_json::Value;
use testkit::{Process, TempEndpoint};
use wire_dispatch::{DecodedWireMessage, Received, WirePolicy, Wires, receive};
use zccache_ipc::{DaemonControlRequest, daemon_control_roundtrip};

const PATIENCE: Duration = Duration::from_secs(60);

/// Timeout for the answer of a script.
const ANSWER: Duration = Duration::from_secs(2);

/// The releases that were recorded, and the wires of their generation.
const RELEASES: [(&str, &str); 3] = [("1.12.15", "v17-v16"), ("1.12.17", "v18-v19"), ("1.13.1", "v23-v24")];

/// The comparison of our reply with a recorded one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum As {
    /// The same bytes.
    Recorded,
    /// The same kind, framing and ids; the figures are our own.
    Kind,
    /// The text of the refusal, framed so that every release can read it.
    Refusal,
    /// A reply of this kind, on purpose.
    Ours(&'static str),
    /// Not sent: it is about files or sessions of the recording.
    Skipped,
}

/// Says how the step `index` of a case must compare; `STABILITY.md` lists the deliberate differences.
fn comparison(release: &str, case: &str, index: usize) -> As {
    let knows_it_later = release != "1.13.1" && case.starts_with("protobuf field ");
    match (case, index) {
        _ if case.starts_with("unknown header version") => As::Refusal,
        // Releases 1.12.10 to 1.12.17 do not know their own requests in protobuf; this daemon serves them on
        // FrameV1.
        _ if knows_it_later && case.ends_with("on FrameV1") => As::Ours("ExecProbeResult"),
        // The input files of the recording are not there.
        ("ExecProbe miss, ExecStore, ExecProbe hit (bincode)", 0 | 2)
        | ("ExecStore empty result, then ExecProbe (bincode)", 1)
        | ("ExecStore, Clear, ExecProbe (bincode)", 2)
        | ("ExecStore overwrites (bincode)", 2) => As::Ours("Error"),
        ("ExecStore, Clear, ExecProbe (bincode)", 1) => As::Kind,
        _ if case.starts_with("Status ") || case.starts_with("SessionStart ") => As::Kind,
        _ if case.starts_with("Compile")
            || case.starts_with("SessionStats")
            || case.starts_with("SessionEnd") =>
        {
            As::Skipped
        }
        ("identity probe", _) => As::Skipped,
        _ => As::Recorded,
    }
}

#[test]
fn the_daemon_answers_as_a_release_of_each_later_generation_did() {
    let _watchdog = testkit::watchdog(Duration::from_secs(110));
    let transcripts = load("generations_live.json")["daemon_transcripts"].clone();
    for (release, wires) in RELEASES {
        let place = TempEndpoint::new();
        let mut daemon = Process::spawn(
            place
                .command(testkit::program("zccache-daemon"))
                .args(["--foreground", "--endpoint", &place.name()])
                .args(["--report-version", release, "--wires", wires]),
        );
        testkit::eventually(PATIENCE, "the daemon listens", || UnixStream::connect(place.socket()).is_ok());
        let cases = transcripts[release]["cases"].as_array().expect("cases");
        assert_eq!(cases.len(), 34);
        let compared: usize = cases.iter().map(|case| replay(release, &place, case)).sum();
        assert!(compared >= 30, "{release}: {compared}");
        assert!(daemon.wait_exit(PATIENCE).success(), "the last case is a shutdown: {}", daemon.stderr());
    }
}

/// Plays one recorded connection; returns how many replies were compared.
fn replay(release: &str, place: &TempEndpoint, case: &Value) -> usize {
    let name = text(case, "name");
    let mut compared = 0;
    let mut stream = UnixStream::connect(place.socket()).expect("connects");
    stream.set_read_timeout(Some(4 * ANSWER)).expect("a timeout");
    for (index, step) in case["transcript"].as_array().expect("steps").iter().enumerate() {
        let how = comparison(release, name, index);
        if how == As::Skipped {
            return compared;
        }
        stream.write_all(&bytes(step, "sent")).expect("written");
        if name.contains("half-close") {
            stream.shutdown(Shutdown::Write).expect("half closed");
        }
        // A released daemon takes such a frame for an envelope and says nothing.
        if how == As::Refusal && name.contains("length low byte 01") {
            let said = error(&one_frame(&mut stream));
            assert!(said.starts_with("protocol version mismatch: "), "{release} {name}: {said}");
        }
        for reply in step["received"].as_array().expect("replies") {
            let recorded = bytes(reply, "hex");
            compared += 1;
            let ours = one_frame(&mut stream);
            let at = format!("{release} {name}#{index}");
            match how {
                As::Recorded => assert_eq!(hex::encode(&ours), hex::encode(&recorded), "{at}"),
                As::Kind => {
                    let (ours, theirs) = (decoded(&ours), decoded(&recorded));
                    assert_eq!(ours.dialect(), theirs.dialect(), "{at}");
                    assert_eq!((ours.message.kind(), ours.ids), (theirs.message.kind(), theirs.ids), "{at}");
                }
                As::Refusal => assert_eq!(error(&ours), error(&recorded), "{at}"),
                As::Ours(kind) => assert_eq!(decoded(&ours).message.kind().name(), kind, "{at}"),
                As::Skipped => unreachable!("returned above"),
            }
        }
        if step["after"] == "eof" {
            assert_eq!(stream.read(&mut [0; 16]).expect("closed"), 0, "{release} {name}#{index}");
        }
    }
    compared
}

/// Reads one frame, header or envelope.
fn one_frame(stream: &mut UnixStream) -> Vec<u8> {
    let mut frame = vec![0; 5];
    stream.read_exact(&mut frame).expect("a length");
    let is_envelope = frame[0] == 1 && frame[4] <= 1;
    let rest = if is_envelope {
        u32::from_le_bytes(frame[1..].try_into().expect("four bytes")) as usize
    } else {
        // The first byte of the number was read.
        u32::from_le_bytes(frame[..4].try_into().expect("four bytes")) as usize - 1
    };
    let head = frame.len();
    frame.resize(head + rest, 0);
    stream.read_exact(&mut frame[head..]).expect("a frame");
    frame
}

fn decoded(frame: &[u8]) -> DecodedWireMessage<Response> {
    match receive::<Response>(&mut BytesMut::from(frame), Wires::ALL) {
        Ok(Received::Message(message)) => message,
        other => panic!("{}: {other:?}", hex::encode(frame)),
    }
}

fn error(frame: &[u8]) -> String {
    match decoded(frame).message {
        Response::Error(error) => error.message,
        other => panic!("{other:?}"),
    }
}

/// The start of the name of a script, if our client gets a `Pong`, and its connections, where both differ on purpose
/// from a released client of the script's generation.
///
/// * The ids `x` of recorded replies are not the request's own: such a reply is no reply to it.
/// * A reply is decoded by its own number, whatever the number of the request.
const DELIBERATE: &[(&str, bool, usize)] = &[
    ("own protobuf Pong", false, 1),
    ("own protobuf Error with the mismatch text", false, 1),
    ("FrameV1 Pong", false, 1),
    ("FrameV1 Error with the mismatch text", false, 1),
    ("forced FrameV1: FrameV1 Pong", false, 1),
    ("protobuf Pong with number", false, 1),
    ("bincode Pong with number", true, 1),
];

#[tokio::test]
async fn every_script_of_a_later_generation_ends_as_recorded() {
    let _watchdog = testkit::watchdog(Duration::from_secs(110));
    let fallback = load("generations_live.json")["client_fallback"].clone();
    let mut different = Vec::new();
    for (release, _) in RELEASES {
        let cases = fallback[release].as_array().expect("cases");
        assert_eq!(cases.len(), 23);
        for case in cases {
            let name = text(case, "name");
            let place = TempEndpoint::new();
            let connections = serve(&place, &case["server_script"]);
            let policy = WirePolicy::parse(case["ZCCACHE_DAEMON_WIRE"].as_str()).expect("a wire");
            let request = DaemonControlRequest::Ping;
            let result = daemon_control_roundtrip(place.name(), request, policy, Some(ANSWER)).await;
            let pong = matches!(result, Ok(Response::Pong));
            // Further tries of a daemon that refuses everything are no part of the script.
            let made = if pong { *connections.lock().expect("no panic") } else { 0 };
            let recorded = case["result"]["ok"] == "Pong";
            let sent = case["sent_by_client"].as_array().expect("frames").len();
            let ours = DELIBERATE.iter().find(|(start, ..)| name.starts_with(start));
            let (expected, count) = ours.map_or((recorded, sent), |(_, pong, count)| (*pong, *count));
            if pong != expected || (pong && made != count) {
                different.push(format!("{release} {name}: {result:?} after {made} connections"));
            }
        }
    }
    assert!(different.is_empty(), "{different:#?}");
}

/// Plays one action of the script for each connection; counts the connections.
fn serve(place: &TempEndpoint, script: &Value) -> Arc<Mutex<usize>> {
    let listener = UnixListener::bind(place.socket()).expect("binds");
    let connections = Arc::new(Mutex::new(0));
    let made = Arc::clone(&connections);
    let script: Vec<String> = script
        .as_array()
        .expect("a script")
        .iter()
        .map(|action| action.as_str().expect("text").into())
        .collect();
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for action in script {
            let Ok((mut stream, _)) = listener.accept() else { return };
            *made.lock().expect("no panic") += 1;
            let _ = stream.read(&mut [0; 256]);
            if let Some(reply) = action.strip_prefix("reply ") {
                stream.write_all(&hex::decode(reply).expect("hex")).expect("written");
                held.push(stream);
            } else {
                assert_eq!(action, "close");
            }
        }
        drop(listener);
        // A further request is heard and not answered: the connection ends with this thread.
        for mut stream in held {
            let _ = stream.read(&mut [0; 64]);
        }
    });
    connections
}
