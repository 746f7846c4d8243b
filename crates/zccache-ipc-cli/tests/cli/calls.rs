//! Verbs against a daemon that answers.

use std::fs;

use serde_json::json;
use testkit::{TempEndpoint, watchdog};

use crate::daemon::{Daemon, Manner};
use crate::support::{self, SOON, code, run, run_with_input};

#[test]
fn ping_status_and_clear_are_answered() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let _daemon = Daemon::start(&place, Manner::Good);

    let (code, said) = support::json(&place, &["ping"]);
    assert_eq!(code, 0);
    assert!(said["latency_us"].as_u64().is_some() && said["endpoint"].is_string(), "{said}");
    assert_eq!(said["lane"], "v16");

    let (code, said) = support::json(&place, &["status"]);
    assert_eq!(code, 0);
    assert_eq!(
        (&said["version"], &said["uptime_secs"], &said["cache_dir"]),
        (&json!("1.2.3"), &json!(61), &json!(if cfg!(windows) { r"\c" } else { "/c" }))
    );
    assert_eq!(said["lane"], "v16");
    assert_eq!(said.as_object().unwrap().len(), 27 + 1, "the fields of the JSON form, and the lane: {said}");

    let (code, said) = support::json(&place, &["clear"]);
    assert_eq!((code, &said["artifacts_removed"], said.as_object().unwrap().len()), (0, &json!(0), 4));

    let status = run(&place, &["status"]).stdout;
    assert!(status.contains("release") && status.contains("1 min 01 s"), "{status}");
    assert!(status.lines().all(|line| line.trim() == line), "{status:?}");
    assert!(status.contains("answered on"), "{status}");
    let ping = run(&place, &["ping"]).stdout;
    assert!(ping.ends_with("s on v16\n") && ping.contains(" answered after "), "{ping}");
    assert!(run(&place, &["clear"]).stdout.starts_with("forgot 0 artifacts"));
}

#[test]
fn a_stored_file_comes_back_byte_for_byte() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let _daemon = Daemon::start(&place, Manner::Good);
    let bytes: Vec<u8> = (0..=255).cycle().take(1_000_000).collect();
    fs::write(place.dir().join("main.o"), &bytes).unwrap();
    fs::write(place.dir().join("other.o"), "other").unwrap();

    let stored = support::json(&place, &["store", "k", "main.o"]);
    assert_eq!(stored, (0, json!({ "result": "Stored", "key": "k", "bytes": 1_000_000 })));
    let again = support::json(&place, &["store", "k", "other.o"]);
    // The published reply does not tell the size of the entry that stays, and this daemon reports no entries.
    assert_eq!(again, (0, json!({ "result": "AlreadyExists", "key": "k", "bytes": null })));

    let (code, said) = support::json(&place, &["lookup", "k", "-o", "out"]);
    assert_eq!(
        (code, &said["result"], &said["name"], &said["bytes"]),
        (0, &json!("Hit"), &json!("main.o"), &json!(1_000_000))
    );
    assert_eq!(fs::read(place.dir().join("out")).unwrap(), bytes);
}

#[test]
fn a_key_that_is_not_cached_leaves_the_file_alone() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let _daemon = Daemon::start(&place, Manner::Good);
    fs::write(place.dir().join("out"), "mine").unwrap();
    let missed = support::json(&place, &["lookup", "k", "-o", "out"]);
    assert_eq!(missed, (6, json!({ "result": "Miss", "key": "k" })));
    assert_eq!(fs::read(place.dir().join("out")).unwrap(), b"mine");
}

#[test]
fn one_of_several_outputs_is_chosen_by_name() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let _daemon = Daemon::start(&place, Manner::Good);
    for name in ["a", "b"] {
        fs::write(place.dir().join(name), name).unwrap();
    }
    assert_eq!(support::json(&place, &["store", "k", "a", "b"]).0, 0);
    for arguments in [&["lookup", "k", "-o", "out"][..], &["lookup", "k", "-o", "out", "--name", "c"]] {
        let (code, error) = support::json(&place, arguments);
        assert_eq!((code, error["error"]["kind"].as_str()), (1, Some("which-output")), "{error}");
    }
    assert!(!place.dir().join("out").exists());
    assert_eq!(support::json(&place, &["lookup", "k", "-o", "out", "--name", "b"]).0, 0);
    assert_eq!(fs::read(place.dir().join("out")).unwrap(), b"b");

    let (code, error) = support::json(&place, &["store", "k", "a", "./a"]);
    assert_eq!((code, error["error"]["kind"].as_str()), (2, Some("usage")), "{error}");
}

#[test]
fn an_output_that_is_a_path_is_copied_from_there() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let _daemon = Daemon::start(&place, Manner::Good);
    let blob = place.dir().join("blob");
    fs::write(&blob, "contents").unwrap();
    let request = json!({ "variant": "Store", "message": { "cache_key": "k", "artifact": {
        "outputs": [{ "name": "o", "payload": { "Path": blob } }],
        "stdout": { "$hex": "" }, "stderr": { "$hex": "" }, "exit_code": 0,
    } } });
    assert_eq!(support::json(&place, &["request", &request.to_string()]).0, 0);
    assert_eq!(support::json(&place, &["lookup", "k", "-o", "out"]).0, 0);
    assert_eq!(fs::read(place.dir().join("out")).unwrap(), b"contents");
    // A daemon that names a file which is gone is no reason to touch ours.
    fs::remove_file(&blob).unwrap();
    let (code, error) = support::json(&place, &["lookup", "k", "-o", "out"]);
    assert_eq!((code, error["error"]["kind"].as_str()), (1, Some("io")), "{error}");
    assert_eq!(fs::read(place.dir().join("out")).unwrap(), b"contents");
}

#[test]
fn a_session_is_opened_asked_and_closed() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let _daemon = Daemon::start(&place, Manner::Good);
    let started = run(&place, &["session", "start", "--journal", "j.jsonl", "--no-stats", "--profile"]);
    assert_eq!((code(&started), started.stdout.as_str()), (0, "id-1\n"));
    let asked = run(&place, &["request", r#"{"variant":"ListRustArtifacts"}"#]).stdout;
    let journal = place.dir().join("j.jsonl");
    for part in [
        format!("client_pid: {}", std::process::id()),
        format!("journal_path: Some({journal:?})"),
        format!("working_dir: {:?}", place.dir()),
        "track_stats: false".to_owned(),
        "profile: true".to_owned(),
        "private_daemon: None".to_owned(),
    ] {
        let part = serde_json::to_string(&part).unwrap();
        assert!(asked.contains(part.trim_matches('"')), "{part} in {asked}");
    }

    let (code, said) = support::json(&place, &["session", "stats", "id-1"]);
    assert_eq!((code, &said["stats"]["hits"]), (0, &json!(7)));
    let (code, said) = support::json(&place, &["session", "end", "id-1"]);
    assert_eq!((code, &said["stats"]["hits"]), (0, &json!(8)));
    let (code, error) = support::json(&place, &["session", "end", "id-2"]);
    assert_eq!((code, error["error"]["kind"].as_str()), (1, Some("refused")));
    assert!(error["error"]["message"].as_str().unwrap().contains("unknown session: id-2"), "{error}");
    assert!(run(&place, &["session", "stats", "id-1"]).stdout.contains("7 (100 %)"));
}

#[test]
fn a_private_session_goes_to_the_daemon_of_its_name() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let cache = place.cache_dir();
    let cache = cache.to_str().unwrap();
    let arguments =
        ["session", "start", "--cache-dir", cache, "--daemon-name", "a b", "--private-env", "K=V=W"];
    let (code, error) = support::json(&place, &arguments);
    assert_eq!((code, error["error"]["kind"].as_str()), (3, Some("no-daemon")));
    let message = error["error"]["message"].as_str().unwrap();
    assert!(message.contains("-a_b"), "{message}");

    // With the endpoint given, the options are for the daemon that is there.
    let _daemon = Daemon::start(&place, Manner::Good);
    let endpoint = crate::daemon::locations(&place).endpoint().as_str().to_owned();
    let at = ["--endpoint", &endpoint];
    let started = run(&place, &[&at[..], &arguments].concat());
    assert_eq!(support::code(&started), 0);
    assert!(
        started.stderr.contains("is not private") && started.stderr.contains(" -- --private"),
        "{started:?}"
    );
    let asked = run(&place, &["request", r#"{"variant":"ListRustArtifacts"}"#]).stdout;
    for part in [r#"daemon_name: Some(\"a_b\")"#, r#"(\"K\", \"V=W\")"#, "owner_pids: []"] {
        assert!(asked.contains(part), "{part} in {asked}");
    }
}

#[test]
fn any_request_is_sent_and_its_reply_shown_in_the_json_form() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let _daemon = Daemon::start(&place, Manner::Good);
    let form = |variant: &str, message: serde_json::Value, id: &str| json!({ "variant": variant, "message": message, "lane": "v16", "request_id": id, "frame_request_id": null });
    let check = |request: &str, expected: (i32, serde_json::Value)| {
        assert_eq!(support::json(&place, &["request", request]), expected, "{request}");
        let by_input = run_with_input(&place, &["request", "-"], request.as_bytes());
        assert_eq!((code(&by_input), support::parse(&by_input.stdout)), expected, "{request}");
    };
    check(r#"{"variant":"Ping"}"#, (0, form("Pong", json!(null), "control-ping")));
    check(
        r#"{"variant":"Lookup","message":{"cache_key":"k"}}"#,
        (0, form("LookupResult", json!("Miss"), "lookup")),
    );
    check(
        r#"{"variant":"SessionEnd","message":{"session_id":"x"}}"#,
        (1, form("Error", json!({ "message": "unknown session: x" }), "session-end")),
    );

    for text in
        ["{", "{}", r#"{"variant":"Nope"}"#, r#"{"variant":"Ping","lane":"v17"}"#, r#"{"variant":"Lookup"}"#]
    {
        let (code, error) = support::json(&place, &["request", text]);
        assert_eq!((code, error["error"]["kind"].as_str()), (2, Some("bad-message")), "{text}: {error}");
        assert!(!error["error"]["causes"].as_array().unwrap().is_empty(), "{error}");
    }
}
