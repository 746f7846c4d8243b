//! `status`, `store list`, `store show` and `store rm` against the daemon of this workspace and another one.

use std::fs;
use std::process::Stdio;

use serde_json::{Value, json};
use testkit::{Process, TempEndpoint, eventually, watchdog};
use zccache_ipc::endpoint::blocking::Stream;
use zccache_ipc::model::ArtifactData;

use crate::daemon::{Daemon, Manner, locations};
use crate::real::{Place, daemon, start};
use crate::support::{self, SOON, code, parse, program, run};

/// Starts the daemon of this workspace with further arguments.
fn with_daemon(arguments: &[&str]) -> Place {
    let daemon = daemon();
    let place = Place(TempEndpoint::new());
    let started = run(&place.0, &[&start(&daemon)[..], arguments].concat());
    assert_eq!(code(&started), 0, "{started:?}");
    place
}

fn keep(place: &TempEndpoint, key: &str, text: &str) -> Value {
    fs::write(place.dir().join("file"), text).expect("the place takes files");
    support::json(place, &["store", "--", key, "file"]).1
}

#[test]
fn entries_are_listed_shown_and_removed() {
    let _watchdog = watchdog(2 * SOON);
    let place = with_daemon(&[]);
    let place = &place.0;
    assert_eq!(support::json(place, &["store", "list"]).1, json!({ "entries": [], "count": 0, "bytes": 0 }));
    for (key, length) in [("b", 1000), ("a", 3000), ("list", 10)] {
        assert_eq!(keep(place, key, &"x".repeat(length))["result"], "Stored");
    }
    // The size that is kept, not the size of the file that was refused.
    assert_eq!(keep(place, "a", "other"), json!({ "result": "AlreadyExists", "key": "a", "bytes": 3000 }));
    let (exit, error) = support::json(place, &["store", "", "file"]);
    assert_eq!((exit, error["error"]["kind"].as_str()), (2, Some("usage")), "{error}");

    let keys = |arguments: &[&str]| -> Vec<String> {
        let (exit, list) = support::json(place, &[&["store", "list"], arguments].concat());
        assert_eq!((exit, &list["count"]), (0, &json!(3)), "{list}");
        let entries = list["entries"].as_array().expect("a list").iter();
        entries.map(|entry| entry["key"].as_str().expect("a key").to_owned()).collect()
    };
    assert_eq!(keys(&[]), ["a", "b", "list"]);
    assert_eq!(keys(&["--sort", "size"]), ["a", "b", "list"]);
    assert_eq!(keys(&["--sort", "size", "--limit", "2"]), ["a", "b"]);
    let text = run(place, &["store", "list"]).stdout;
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("SIZE") && lines[4].starts_with("3 entries, 4."), "{text}");

    let (exit, shown) = support::json(place, &["store", "show", "a"]);
    assert_eq!((exit, &shown["outputs"]), (0, &json!([{ "name": "file", "bytes": 3000 }])), "{shown}");
    let age = shown["age_secs"].as_u64().expect("the daemon records it");
    assert!(age < 60 && shown["unused_secs"].as_u64().is_some_and(|unused| unused <= age), "{shown}");
    assert_eq!(support::json(place, &["store", "show", "c"]), (6, json!({ "result": "Miss", "key": "c" })));

    let (exit, removed) = support::json(place, &["store", "rm", "a", "c", "list"]);
    assert_eq!((exit, removed), (6, json!({ "removed": ["a", "list"], "missing": ["c"] })));
    assert_eq!(support::json(place, &["lookup", "a", "-o", "out"]).0, 6);
    let (exit, status) = support::json(place, &["status"]);
    assert_eq!((exit, &status["artifact_count"]), (0, &json!(1)), "{status}");
}

#[test]
fn a_long_list_comes_in_pages() {
    let _watchdog = watchdog(4 * SOON);
    let place = with_daemon(&[]);
    let place = &place.0;
    let endpoint = locations(place).endpoint().clone();
    let mut client = zccache_ipc::blocking::Client::new(endpoint, zccache_ipc::ClientConfig::within(SOON));
    // One more than a page of the daemon has.
    for number in 0..2001 {
        let stored = client.store(format!("key-{number:04}"), ArtifactData::default());
        assert!(stored.is_ok(), "{stored:?}");
    }
    let (_, list) = support::json(place, &["store", "list"]);
    let entries = list["entries"].as_array().expect("a list");
    assert_eq!((entries.len(), &list["count"]), (2001, &json!(2001)));
    assert_eq!((&entries[0]["key"], &entries[2000]["key"]), (&json!("key-0000"), &json!("key-2000")));
}

#[test]
fn status_shows_process_limits_clients_and_refusals() {
    let _watchdog = watchdog(2 * SOON);
    let place = with_daemon(&["--max-size", "7MiB", "--max-connections", "77"]);
    let place = &place.0;
    let (_, probe) = support::json(place, &["probe"]);
    for wire in ["v15", "frame"] {
        assert_eq!(support::json(place, &["--wire", wire, "ping"]).0, 0);
    }
    refused(place, 26);
    let mut said = Value::Null;
    eventually(SOON, "the refusal is counted", || {
        said = support::json(place, &["status"]).1;
        said["daemon"]["connections"]["refused_versions"] == json!({ "26": 1 })
    });
    let state = &said["daemon"];
    assert_eq!(state["pid"], probe["pid"], "{state}");
    assert_eq!((&state["program_version"], &said["version"]), (&json!("0.1.0"), &json!("1.13.5")));
    assert_eq!(
        (&state["limits"]["store_bytes"], &state["limits"]["connections"]),
        (&json!(7 << 20), &json!(77))
    );
    let clients = state["clients"].as_array().expect("a list");
    let numbers: Vec<_> = clients.iter().map(|client| (&client["lane"], client["number"].as_u64())).collect();
    assert!(numbers.contains(&(&json!("v15"), Some(15))), "{clients:?}");
    assert!(numbers.contains(&(&json!("frame_v1"), None)), "{clients:?}");
    // The program's version decides, and not the release that it announces.
    assert_eq!(support::json(place, &["start", "--replace", "older"]).1["result"], "already-running");
    let doctor = support::json(place, &["doctor"]).1;
    let release = doctor["findings"].as_array().unwrap().iter().find(|found| found["check"] == "release");
    let expected = json!("the daemon and this program are 0.1.0");
    assert!(release.is_some_and(|found| found["text"] == expected && found["fix"].is_null()), "{doctor}");
    let text = run(place, &["status"]).stdout;
    for part in [
        "up ",
        "of 7.0 MiB",
        "77 connections",
        "wire 15 (this project, up to 1.12.9): 1 request",
        "version 26 (1 frame)",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// Sends a frame of a version that no daemon speaks, and waits for the refusal.
fn refused(place: &TempEndpoint, version: u32) {
    use std::io::{Read as _, Write as _};
    let soon = std::time::Instant::now() + SOON;
    let mut stream = Stream::connect(locations(place).endpoint(), soon).expect("the daemon listens");
    let mut frame = 8_u32.to_le_bytes().to_vec();
    frame.extend(version.to_le_bytes());
    frame.extend([0; 4]);
    stream.write_all(&frame).expect("the daemon reads it");
    let mut answer = [0; 8];
    stream.read_exact(&mut answer).expect("the daemon answers");
}

#[test]
fn a_daemon_without_reports_and_a_failure_are_shown_differently() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let _daemon = Daemon::start(&place, Manner::Good);
    for verb in [&["store", "list"][..], &["store", "show", "k"], &["store", "rm", "k"]] {
        let (exit, error) = support::json(&place, verb);
        assert_eq!((exit, error["error"]["kind"].as_str()), (1, Some("not-served")), "{verb:?}: {error}");
        assert!(
            error["error"]["fix"].as_str().is_some_and(|fix| fix.ends_with("start --replace any")),
            "{error}"
        );
    }
    // Its status has the published figures.
    let text = run(&place, &["status"]).stdout;
    assert!(text.contains("uptime") && text.contains("1.2.3") && !text.contains("limits"), "{text}");
}

#[test]
fn a_watch_shows_the_state_again_and_outlives_the_daemon() {
    let _watchdog = watchdog(2 * SOON);
    let place = with_daemon(&[]);
    let mut command = program(&place.0, &["--json", "status", "--watch=0.05"]);
    let mut watch = Process::spawn(command.stdout(Stdio::piped()));
    let lines = |watch: &Process| watch.stdout().lines().filter(|line| line.ends_with('}')).count();
    eventually(SOON, "it shows the state twice", || lines(&watch) >= 2);
    let first = watch.stdout().lines().next().map(parse).expect("a line");
    assert!(first["daemon"]["pid"].is_number(), "{first}");
    assert_eq!(code(&run(&place.0, &["stop"])), 0);
    eventually(SOON, "it shows that there is no daemon", || watch.stdout().contains(r#""kind":"no-daemon""#));
    assert!(watch.is_running());
    watch.kill();
}

#[test]
fn the_log_and_the_journal_of_a_session_have_a_line_for_each_event() {
    let _watchdog = watchdog(2 * SOON);
    let place = with_daemon(&[]);
    let place = &place.0;
    let (exit, error) = support::json(place, &["session", "start", "--log-file", "no/such/s.log"]);
    assert_eq!((exit, error["error"]["kind"].as_str()), (2, Some("usage")), "{error}");
    assert!(error["error"]["fix"].as_str().unwrap().starts_with("make it: mkdir -p "), "{error}");
    let id = run(place, &["session", "start", "--log-file", "s.log", "--journal", "s.jsonl"]).stdout;
    keep(place, "k", "text");
    assert_eq!(support::json(place, &["lookup", "k", "-o", "out"]).0, 0);
    assert_eq!(support::json(place, &["session", "end", id.trim()]).0, 0);
    let log = fs::read_to_string(place.dir().join("s.log")).expect("the session writes it");
    let lines: Vec<&str> = log.lines().collect();
    assert!(lines.len() == 2 && lines[0].ends_with("store k (4 bytes)"), "{log}");
    assert!(lines[1].ends_with("lookup hit k (4 bytes)"), "{log}");
    let journal = fs::read_to_string(place.dir().join("s.jsonl")).expect("the session writes it");
    assert_eq!(journal.lines().count(), 2, "{journal}");
}
