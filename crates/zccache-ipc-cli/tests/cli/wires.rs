//! `--wire`, `ZCCACHE_DAEMON_WIRE`, and requests on a lane of one's choice.

use serde_json::{Value, json};
use testkit::{Process, TempEndpoint, watchdog};
use zccache_ipc::Wires;

use crate::daemon::{Daemon, Manner};
use crate::support::{self, ASKING, SOON, code, parse, program, vectors};

/// Every verb that asks a daemon something.
fn verbs() -> impl Iterator<Item = &'static [&'static str]> {
    ASKING.iter().copied().chain([&["start"][..], &["stop"]])
}

/// Runs the program with `ZCCACHE_DAEMON_WIRE`, and returns its exit code and what it said to a program.
#[track_caller]
fn with_variable(place: &TempEndpoint, value: &str, arguments: &[&str]) -> (i32, Value) {
    let mut command = program(place, &[&["--json"], arguments].concat());
    let finished = Process::spawn(command.env("ZCCACHE_DAEMON_WIRE", value)).finish(SOON);
    assert_eq!(finished.stderr, "", "{arguments:?}");
    (code(&finished), parse(&finished.stdout))
}

#[test]
fn the_lane_of_the_reply_is_printed() {
    let _watchdog = watchdog(SOON);
    let check = |wires, expected: [Option<&str>; 4]| {
        let place = TempEndpoint::new();
        let _daemon = Daemon::speaking(&place, Manner::Good, wires);
        for (wire, lane) in ["auto", "v15", "v16", "frame"].into_iter().zip(expected) {
            for verb in ["ping", "status"] {
                let (code, said) = support::json(&place, &["--wire", wire, verb]);
                match lane {
                    Some(lane) => assert_eq!((code, &said["lane"]), (0, &json!(lane)), "{wire}: {said}"),
                    None => assert_eq!(
                        (code, &said["error"]["kind"]),
                        (5, &json!("version-mismatch")),
                        "{wire}: {said}"
                    ),
                }
            }
        }
    };
    check(Wires::ALL, [Some("v16"), Some("v15"), Some("v16"), Some("frame_v1")]);
    check(Wires::V15, [Some("v15"), Some("v15"), None, None]);
    check(Wires::V16, [Some("v16"), None, Some("v16"), Some("frame_v1")]);
}

#[test]
fn every_verb_speaks_the_wire_that_is_asked_for() {
    let _watchdog = watchdog(2 * SOON);
    for (wires, wire) in [(Wires::V15, "v16"), (Wires::V16, "v15")] {
        let place = TempEndpoint::new();
        std::fs::write(place.dir().join("file"), "x").unwrap();
        let daemon = Daemon::speaking(&place, Manner::Good, wires);
        for verb in verbs() {
            let (code, said) = support::json(&place, &[&["--wire", wire][..], verb].concat());
            assert_eq!(code, 5, "--wire {wire} {verb:?}: {said}");
        }
        assert!(!daemon.has_ended());
        // What is asked for on the command line is stronger than the variable.
        assert_eq!(with_variable(&place, wire, &["ping"]).0, 5);
        assert_eq!(with_variable(&place, wire, &["--wire", "auto", "ping"]).0, 0);
    }
}

#[test]
fn every_recorded_value_of_the_variable_selects_the_recorded_wire() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let _daemon = Daemon::start(&place, Manner::Good);
    let cases = vectors("wire_env.json");
    let cases = cases["env"].as_array().unwrap();
    assert_eq!(cases.len(), 24);
    for case in cases {
        let Some(value) = case["value"].as_str() else { continue };
        let (code, said) = with_variable(&place, value, &["ping"]);
        match (case["control"]["error"].as_str(), case["control"]["preferred"].as_str()) {
            (Some(error), _) => assert_eq!(
                (code, &said["error"]["kind"], &said["error"]["message"]),
                (2, &json!("usage"), &json!(error))
            ),
            (None, Some("BincodeV15")) => assert_eq!((code, &said["lane"]), (0, &json!("v15")), "{case}"),
            (None, Some("ProstV16")) => assert_eq!((code, &said["lane"]), (0, &json!("v16")), "{case}"),
            (None, _) => assert_eq!((code, &said["lane"]), (0, &json!("frame_v1")), "{case}"),
        }
    }
}

#[test]
fn an_invalid_wire_variable_is_reported_before_connecting() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    for verb in verbs() {
        // There is no daemon, which would be another exit code.
        let (code, error) = with_variable(&place, "Bin Code", verb);
        assert_eq!((code, &error["error"]["kind"]), (2, &json!("usage")), "{verb:?}: {error}");
        let text = r#"invalid ZCCACHE_DAEMON_WIRE="bin code"; expected auto, bincode, prost, or frame"#;
        assert_eq!(error["error"]["message"], text, "{verb:?}");
    }
    // To those who ask nobody it does not matter, and the command line wins.
    assert_eq!(with_variable(&place, "Bin Code", &["endpoint"]).0, 0);
    assert_eq!(with_variable(&place, "x", &["wire", "decode", "--request", "080000000f00000000000000"]).0, 0);
    assert_eq!(with_variable(&place, "Bin Code", &["--wire", "v15", "ping"]).0, 3);
}

#[cfg(unix)]
#[test]
fn a_value_that_is_not_text_is_skipped_as_released_clients_do() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let mut command = program(&place, &["ping"]);
    command.env("ZCCACHE_DAEMON_WIRE", OsStr::from_bytes(b"v15\xff"));
    let finished = Process::spawn(&mut command).finish(SOON);
    assert_eq!(code(&finished), 3, "no daemon listens: {}", finished.stderr);
    assert!(!finished.stderr.contains("ZCCACHE_DAEMON_WIRE"), "{}", finished.stderr);
}

#[test]
fn a_request_goes_on_the_lane_and_with_the_ids_that_it_names() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let _daemon = Daemon::start(&place, Manner::Good);
    let check = |options: &[&str], keys: Value, expected: (&str, Value, Value)| {
        let mut request = json!({ "variant": "Lookup", "message": { "cache_key": "k" } });
        request.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
        let request = request.to_string();
        let (code, reply) = support::json(&place, &[options, &["request", &request]].concat());
        assert_eq!((code, &reply["message"]), (0, &json!("Miss")), "{reply}");
        let (lane, request_id, frame_request_id) = expected;
        assert_eq!(
            (&reply["lane"], &reply["request_id"], &reply["frame_request_id"]),
            (&json!(lane), &request_id, &frame_request_id),
            "{options:?} {request}"
        );
    };
    let null = || Value::Null;
    check(&[], json!({ "lane": "v15", "request_id": "mine" }), ("v15", null(), null()));
    check(&[], json!({ "lane": "v16", "request_id": "mine" }), ("v16", json!("mine"), null()));
    check(&[], json!({ "lane": "v16", "request_id": "" }), ("v16", json!(""), null()));
    check(&[], json!({ "lane": "frame_v1" }), ("frame_v1", json!("lookup"), json!(1)));
    check(
        &[],
        json!({ "lane": "frame_v1", "request_id": "é", "frame_request_id": u64::MAX }),
        ("frame_v1", json!("é"), json!(u64::MAX)),
    );
    // Without a lane of its own it goes on that of the options.
    check(&["--wire", "frame"], json!({ "frame_request_id": 9 }), ("frame_v1", json!("lookup"), json!(9)));
    check(&["--wire", "v15"], json!({ "lane": "v16" }), ("v16", json!("lookup"), null()));
    check(&[], json!({ "lane": null, "request_id": "mine" }), ("v16", json!("mine"), null()));
}

#[test]
fn a_request_that_is_not_harmless_keeps_its_ids_behind_the_question_that_comes_first() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let _daemon = Daemon::start(&place, Manner::Good);
    let (code, reply) = support::json(
        &place,
        &["request", r#"{"variant":"Clear","request_id":"mine","frame_request_id":5}"#],
    );
    assert_eq!((code, &reply["variant"], &reply["request_id"]), (0, &json!("Cleared"), &json!("mine")));
}

#[test]
fn a_request_to_a_daemon_that_speaks_v15_only_falls_back_and_says_so() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let _daemon = Daemon::speaking(&place, Manner::Good, Wires::V15);
    for (request, variant) in
        [(r#"{"variant":"Ping","request_id":"mine"}"#, "Pong"), (r#"{"variant":"Clear"}"#, "Cleared")]
    {
        let (code, reply) = support::json(&place, &["request", request]);
        assert_eq!((code, &reply["variant"], &reply["lane"]), (0, &json!(variant), &json!("v15")), "{reply}");
        assert_eq!(reply["request_id"], Value::Null);
    }
    // A lane that is named is not fallen back from, and the refusal is shown as it came.
    let (code, reply) = support::json(&place, &["request", r#"{"variant":"Ping","lane":"v16"}"#]);
    assert_eq!((code, &reply["variant"], &reply["lane"]), (5, &json!("Error"), &json!("v15")), "{reply}");
}
