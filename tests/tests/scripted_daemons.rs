//! Command lines of three generations against scripted daemons, as they were recorded.
//!
//! The recording names each script and has no bytes of its replies; the replies here are made from the names.

#![cfg(target_os = "linux")]

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::time::Duration;

use bytes::BytesMut;
use conformance::vectors::{load, text};
use ipc_model::{DaemonStatus, Request, Response};
use serde_json::Value;
use testkit::{TempEndpoint, watchdog};
use wire_dispatch::mismatch::refusal_text;
use wire_dispatch::{
    DecodedWireMessage, Dialect, FrameKind, Ids, Received, ServerMachine, Step, Wires, encode, receive,
};
use wire_frame::Version;
use zccache_ipc::ClientConfig;
use zccache_ipc::blocking::Client;

const PATIENCE: Duration = Duration::from_secs(60);

/// The releases, and the bincode and the protobuf number of each.
const RELEASES: [(&str, u32, u32); 3] = [("1.12.15", 17, 16), ("1.12.17", 18, 19), ("1.13.1", 23, 24)];

/// The start of the name of a script that our client understands and the released ones do not all: it decodes a
/// reply by its own number, whatever the generation.
const DELIBERATE: [&str; 2] = ["prost 16 Status body", "bincode 15 number on own Status body"];

fn number(number: u32) -> Dialect {
    Dialect::of(Version(number)).expect("a known number")
}

fn cases(release: &str) -> Vec<Value> {
    let all = load("generations_live.json")["cli_against_scripted_server"][release].clone();
    let cases = all.as_array().expect("cases").clone();
    assert_eq!(cases.len(), 30, "{release}");
    cases
}

#[test]
fn our_server_answers_every_request_that_the_released_command_lines_sent() {
    for (release, bincode, protobuf) in RELEASES {
        let machine = ServerMachine::new("1.13.5", Wires::ALL);
        let mut answered = 0;
        for case in cases(release) {
            let frames = case["received_by_server"].as_array().expect("frames").clone();
            for frame in frames.iter().map(|frame| frame.as_str().expect("text")) {
                if frame == "(connect only)" {
                    continue;
                }
                let mut buffer = BytesMut::from(&hex::decode(frame).expect("hex")[..]);
                let Step::Answer { reply_to, request } = machine.step(&mut buffer) else {
                    panic!("{release} {frame}")
                };
                let dialect = reply_to.dialect();
                assert!([number(bincode), number(protobuf)].contains(&dialect), "{release} {frame}");
                // `start` of 1.13.x asks a daemon that it cannot read with a bincode `Ping`.
                let expected = matches!(request, Request::Status | Request::Shutdown)
                    || (request == Request::Ping && bincode == 23 && text(&case, "verb") == "start");
                assert!(expected, "{release} {request:?}");
                answered += 1;
            }
        }
        assert!(answered > 40, "{release}: {answered}");
    }
}

#[test]
fn our_client_ends_with_every_script_as_the_released_command_line_did() {
    let _watchdog = watchdog(2 * PATIENCE);
    let mut different = Vec::new();
    for (release, bincode, protobuf) in RELEASES {
        for case in cases(release).iter().filter(|case| text(case, "verb").starts_with("status")) {
            let name = text(case, "server");
            let place = TempEndpoint::new();
            serve(&place, name.to_owned(), number(bincode), number(protobuf));
            let config = ClientConfig::within(Duration::from_secs(5));
            let status = Client::new(place.name(), config).status();
            let ours = DELIBERATE.iter().any(|start| name.starts_with(start));
            if status.is_ok() != (ours || case["exit"] == 0) {
                different.push(format!("{release} {name}: {status:?}"));
            }
        }
    }
    assert!(different.is_empty(), "{different:#?}");
}

/// Plays the script with this name on every connection that comes.
fn serve(place: &TempEndpoint, name: String, bincode: Dialect, protobuf: Dialect) {
    let listener = UnixListener::bind(place.socket()).expect("binds");
    std::thread::spawn(move || {
        for (turn, stream) in listener.incoming().map_while(Result::ok).enumerate() {
            let mut stream = stream;
            let mut received = BytesMut::new();
            let asked = loop {
                let mut bytes = [0; 256];
                match stream.read(&mut bytes) {
                    Ok(read @ 1..) => received.extend_from_slice(&bytes[..read]),
                    _ => break None,
                }
                match receive::<Request>(&mut received, Wires::ALL) {
                    Ok(Received::Message(asked)) => break Some(asked),
                    Ok(Received::Read { .. }) => {}
                    other => panic!("{other:?}"),
                }
            };
            let Some(asked) = asked else { continue };
            if let Some(reply) = reply(&name, turn, &asked, bincode, protobuf) {
                // A client that has gone is seen at the next one.
                let _ = stream.write_all(&reply);
                let _ = stream.read(&mut [0; 64]);
            }
        }
    });
}

/// Returns the reply of the script `name` on connection number `turn`; `None` closes.
fn reply(
    name: &str,
    turn: usize,
    asked: &DecodedWireMessage<Request>,
    bincode: Dialect,
    protobuf: Dialect,
) -> Option<Vec<u8>> {
    let status = |version: &str| {
        Response::Status(Box::new(DaemonStatus { version: version.into(), ..DaemonStatus::default() }))
    };
    let refusal = || Response::error(refusal_text("1.12.0", Version(16), "v24"));
    let (first, then) = name.split_once(", then ").map_or((name, None), |(first, then)| (first, Some(then)));
    let script = if turn > 0 { then.unwrap_or(first) } else { first };
    let (dialect, message, renumbered) = match script {
        "own prost Status" => (protobuf, status("1.13.1"), None),
        "own bincode Status" => (bincode, status("1.13.1"), None),
        "FrameV1 Status" => (Dialect::FrameV1, status("1.13.1"), None),
        "prost 16 Status body with number 16" => (number(16), status("1.13.1"), None),
        "bincode 15 number on own Status body" => (bincode, status("1.13.1"), Some(15)),
        "own bincode Error with the mismatch text" => (bincode, refusal(), None),
        "own prost Error with the mismatch text" => (protobuf, refusal(), None),
        "bincode 15 Error with the mismatch text (a 1.12.0 refusal), twice" => (number(15), refusal(), None),
        "own bincode Error, other text" => (bincode, Response::error("another text"), None),
        "close" => return None,
        "Status with version 1.12.0" => (protobuf, status("1.12.0"), None),
        "Status with version 99.0.0" => (protobuf, status("99.0.0"), None),
        "Status with version 1.12.0 over FrameV1" => (Dialect::FrameV1, status("1.12.0"), None),
        "Status with an unparsable version" => (protobuf, status("unknown"), None),
        other => panic!("a script without a meaning: {other}"),
    };
    let mut frame = BytesMut::new();
    let ids: &Ids = &asked.ids;
    encode(&message, dialect, ids, FrameKind::Response, &mut frame).expect("encodes");
    if let Some(number) = renumbered {
        frame[4] = number;
    }
    Some(frame.to_vec())
}
