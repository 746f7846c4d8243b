//! Daemons that are silent, busy, of another release, or asked for too much.

use std::time::{Duration, Instant};

use testkit::{TempEndpoint, watchdog};
use zccache_ipc::model::{Backpressure, Response};

use crate::daemon::{Daemon, Manner};
use crate::support::{SOON, json, vectors, within};

#[test]
fn verbs_that_ask_a_silent_daemon_end_within_a_second() {
    let _watchdog = watchdog(2 * SOON);
    let place = TempEndpoint::new();
    let _daemon = Daemon::start(&place, Manner::Silent);
    let verbs: &[&[&str]] =
        &[&["ping"], &["status"], &["session", "stats", "id"], &["request", r#"{"variant":"Status"}"#]];
    for verb in verbs {
        let (code, error) = within(Duration::from_secs(1), || json(&place, verb));
        assert_eq!((code, error["error"]["kind"].as_str()), (4, Some("timeout")), "{verb:?}: {error}");
    }
}

#[test]
fn a_limit_holds_for_every_verb() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    std::fs::write(place.dir().join("file"), "x").unwrap();
    let _daemon = Daemon::start(&place, Manner::Silent);
    let verbs: &[&[&str]] = &[
        &["clear"],
        &["store", "key", "file"],
        &["lookup", "key", "-o", "out"],
        &["session", "start"],
        &["session", "end", "id"],
        &["request", r#"{"variant":"Clear"}"#],
        &["stop"],
        &["start"],
    ];
    for verb in verbs {
        let start = Instant::now();
        let (code, error) = json(&place, &[&["--timeout", "0.2"], *verb].concat());
        assert_eq!((code, error["error"]["kind"].as_str()), (4, Some("timeout")), "{verb:?}: {error}");
        assert!(start.elapsed() < Duration::from_secs(5), "{verb:?} took {:?}", start.elapsed());
    }
}

/// A text that a published daemon sent to a client of another version.
fn recorded_refusal() -> String {
    let live = vectors("live_1.11.21.json");
    let replies =
        live["cases"].as_array().unwrap().iter().flat_map(|case| case["transcript"].as_array().unwrap());
    let mut texts = replies.filter_map(|step| step["received"][0]["error_message"].as_str());
    texts.find(|text| text.contains("version mismatch")).unwrap().to_owned()
}

#[test]
fn an_unsupported_version_and_a_refusal_are_different_errors() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let refusal = recorded_refusal();
    let _daemon = Daemon::start(&place, Manner::Says(Box::new(Response::error(refusal.clone()))));
    for verb in [&["ping"][..], &["status"], &["clear"], &["stop"], &["start"], &["session", "start"]] {
        let (code, error) = json(&place, verb);
        assert_eq!(
            (code, error["error"]["kind"].as_str()),
            (5, Some("version-mismatch")),
            "{verb:?}: {error}"
        );
        assert!(error["error"]["message"].as_str().unwrap().contains(&refusal), "{error}");
        assert!(error["error"]["fix"].as_str().unwrap().contains("v15"), "{error}");
    }
    let (code, reply) = json(&place, &["request", r#"{"variant":"Ping"}"#]);
    assert_eq!((code, reply["message"]["message"].as_str()), (5, Some(refusal.as_str())));
}

#[cfg(unix)]
#[test]
fn an_answer_on_another_wire_says_which_side_to_update() {
    use std::io::{Read as _, Write as _};

    let _watchdog = watchdog(SOON);
    for (wire, frame, fix) in [
        ("v15", "040000001000000000", "ask it in the wire that it answers in: --wire v16"),
        ("v15", "040000001300000000", "ask it in the wire that it answers in: --wire v16"),
        ("v15", "040000001800000000", "ask it in the wire that it answers in: --wire v16"),
        (
            "v15",
            "040000001a00000000",
            "update zccache-ipc: the daemon answers in v26, and it reads v24 at most",
        ),
        (
            "v16",
            "040000001a00000000",
            "update zccache-ipc: the daemon answers in v26, and it reads v24 at most",
        ),
        (
            "frame",
            "040000000e00000000",
            "update the daemon: it answers in v14, which zccache-ipc does not read",
        ),
        (
            "auto",
            "040000000e00000000",
            "update the daemon: it answers in v14, which zccache-ipc does not read",
        ),
    ] {
        let place = TempEndpoint::new();
        let listener = std::os::unix::net::UnixListener::bind(place.socket()).unwrap();
        let connections = if wire == "auto" { 2 } else { 1 };
        let daemon = std::thread::spawn(move || {
            for _ in 0..connections {
                let (mut stream, _) = listener.accept().unwrap();
                assert!(stream.read(&mut [0; 64]).unwrap() > 0);
                stream.write_all(&hex::decode(frame).unwrap()).unwrap();
            }
        });
        let (code, error) = json(&place, &["--endpoint", &place.name(), "--wire", wire, "ping"]);
        assert_eq!((code, error["error"]["kind"].as_str()), (5, Some("version-mismatch")), "{error}");
        assert_eq!(error["error"]["fix"], fix);
        daemon.join().unwrap();
    }
}

#[test]
fn busy_and_refused_are_different_errors() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let pressure = Backpressure { queue_depth: 9, retry_after_ms: 120, reason: "full".to_owned() };
    let _daemon = Daemon::start(&place, Manner::Says(Box::new(Response::Backpressure(pressure))));
    for verb in ["ping", "clear", "stop"] {
        let (code, error) = json(&place, &[verb]);
        assert_eq!((code, error["error"]["kind"].as_str()), (4, Some("busy")), "{error}");
        assert_eq!(error["error"]["fix"], "ask again in 120 ms");
    }
    let (code, reply) = json(&place, &["request", r#"{"variant":"Ping"}"#]);
    assert_eq!((code, reply["variant"].as_str()), (4, Some("Backpressure")));
}

#[test]
fn an_answer_to_something_else_is_an_error() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let _daemon = Daemon::start(&place, Manner::Says(Box::new(Response::FingerprintAck)));
    let (code, error) = json(&place, &["ping"]);
    assert_eq!((code, error["error"]["kind"].as_str()), (1, Some("bad-answer")), "{error}");
}

#[test]
fn more_than_a_message_holds_is_refused_before_it_is_sent() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    // Nothing that was sent would be answered.
    let _daemon = Daemon::start(&place, Manner::Silent);
    for (name, length) in [("17", 17 << 20), ("16", 16 << 20)] {
        let file = std::fs::File::create(place.dir().join(name)).unwrap();
        file.set_len(length).unwrap();
        let (code, error) = json(&place, &["store", "key", name]);
        assert_eq!((code, error["error"]["kind"].as_str()), (1, Some("too-large")), "{error}");
    }
    let (code, error) = json(&place, &["store", "key", "missing"]);
    assert_eq!((code, error["error"]["kind"].as_str()), (1, Some("io")), "{error}");
}
