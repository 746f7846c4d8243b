//! The command line and the daemon of this workspace, from the first start to the last stop.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use testkit::{Process, TempEndpoint, watchdog};

use crate::support::{self, SOON, code, parse, program, run};

/// A place whose daemon is stopped at the end, however the test ends.
pub(crate) struct Place(pub(crate) TempEndpoint);

impl Drop for Place {
    fn drop(&mut self) {
        // A daemon that cannot be stopped ends by itself, see `start`.
        let _ = Process::spawn(&mut program(&self.0, &["stop"])).wait_exit(SOON);
    }
}

/// The arguments that start `daemon`, which ends when nobody asks it anything.
pub(crate) fn start(daemon: &Path) -> Vec<&str> {
    let daemon = daemon.to_str().expect("the target directory is UTF-8");
    vec!["--json", "start", "--daemon-binary", daemon, "--", "--idle-timeout", "30"]
}

pub(crate) fn daemon() -> PathBuf {
    testkit::program("zccache-daemon")
}

#[test]
fn every_verb_works_against_the_daemon_that_start_starts() {
    let daemon = daemon();
    let _watchdog = watchdog(2 * SOON);
    let place = Place(TempEndpoint::new());
    let place = &place.0;
    // Reads both streams to their ends, which a daemon that held them would never let come.
    let started = program(place, &start(&daemon)).output().unwrap();
    assert!(started.status.success(), "{started:?}");
    let started = parse(&String::from_utf8(started.stdout).unwrap());
    assert_eq!(started["result"], "started");
    let pid = started["pid"].as_u64().unwrap();
    let again = parse(&run(place, &start(&daemon)).stdout);
    assert_eq!((&again["result"], again["pid"].as_u64()), (&json!("already-running"), Some(pid)));

    for (wire, lane) in [("auto", "v16"), ("v15", "v15"), ("v16", "v16"), ("frame", "frame_v1")] {
        assert_eq!(support::json(place, &["--wire", wire, "ping"]).1["lane"], lane);
    }
    let (code, status) = support::json(place, &["status"]);
    assert_eq!((code, &status["endpoint"]), (0, &started["endpoint"]));

    let file = env!("CARGO_MANIFEST_PATH");
    assert_eq!(support::json(place, &["--wire", "v15", "store", "k", file]).1["result"], "Stored");
    assert_eq!(support::json(place, &["store", "k", file]).1["result"], "AlreadyExists");
    for wire in ["auto", "v15", "v16", "frame"] {
        assert_eq!(support::json(place, &["--wire", wire, "lookup", "k", "-o", wire]).0, 0);
        assert_eq!(fs::read(place.dir().join(wire)).unwrap(), fs::read(file).unwrap(), "{wire}");
    }
    assert_eq!(support::json(place, &["lookup", "missing", "-o", "out"]).0, 6);

    let (code, session) = support::json(place, &["session", "start"]);
    assert_eq!(code, 0);
    let id = session["session_id"].as_str().unwrap();
    for verb in ["stats", "end"] {
        let (code, said) = support::json(place, &["session", verb, id]);
        assert!(code == 0 && said["stats"]["duration_ms"].is_u64(), "{verb}: {said}");
    }

    let (code, reply) = support::json(place, &["request", r#"{"variant":"ListRustArtifacts"}"#]);
    assert_eq!((code, reply["variant"].as_str()), (0, Some("RustArtifactList")), "{reply}");
    assert_eq!(support::json(place, &["clear"]).1["artifacts_removed"], 1);

    assert_eq!(support::json(place, &["stop"]), (0, json!({ "result": "stopped", "pid": pid })));
    assert_eq!(support::json(place, &["ping"]).0, 3);
    assert_eq!(support::json(place, &["stop"]).1["result"], "nothing-to-stop");
}

#[test]
fn starts_at_the_same_time_agree_on_one_daemon() {
    let daemon = daemon();
    let _watchdog = watchdog(2 * SOON);
    let place = Place(TempEndpoint::new());
    let starts: Vec<_> = (0..4).map(|_| Process::spawn(&mut program(&place.0, &start(&daemon)))).collect();
    let said: Vec<Value> = starts
        .into_iter()
        .map(|start| {
            let finished = start.finish(SOON);
            assert_eq!(code(&finished), 0, "{finished:?}");
            parse(&finished.stdout)
        })
        .collect();
    assert_eq!(said.iter().filter(|said| said["result"] == "started").count(), 1, "{said:?}");
    assert!(said.iter().all(|other| other["pid"] == said[0]["pid"]), "{said:?}");
}

#[test]
fn a_relative_cache_directory_is_the_same_one_for_the_daemon() {
    let daemon = daemon();
    let _watchdog = watchdog(2 * SOON);
    let place = Place(TempEndpoint::new());
    let relative = [&["--cache-dir", "./cache/../cache"][..], &start(&daemon)].concat();
    assert_eq!(code(&run(&place.0, &relative)), 0);
    // The place's own, which is absolute, has the same name.
    let (code, status) = support::json(&place.0, &["status"]);
    assert_eq!((code, status["cache_dir"].as_str()), (0, place.0.cache_dir().to_str()));
}

#[cfg(unix)]
#[test]
fn a_start_that_lost_to_a_daemon_that_ended_starts_once_more() {
    use std::os::unix::fs::PermissionsExt as _;
    let daemon = daemon();
    let _watchdog = watchdog(2 * SOON);
    let place = Place(TempEndpoint::new());
    // The first one leaves the endpoint to somebody who is gone when it is looked at.
    let loser = place.0.dir().join("loser");
    let script = format!(
        "#!/bin/sh\n[ -e \"${{0}}.once\" ] && exec '{}' \"$@\"\n: > \"${{0}}.once\"\n",
        daemon.display()
    );
    fs::write(&loser, script).unwrap();
    fs::set_permissions(&loser, fs::Permissions::from_mode(0o700)).unwrap();
    let began = std::time::Instant::now();
    let started = run(&place.0, &start(&loser));
    assert_eq!(code(&started), 0, "{started:?}");
    assert_eq!(parse(&started.stdout)["result"], "started");
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    assert_eq!(support::json(&place.0, &["ping"]).0, 0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_frozen_daemon_is_ended_by_start_and_by_stop_which_say_so() {
    let daemon = daemon();
    let _watchdog = watchdog(2 * SOON);
    let place = Place(TempEndpoint::new());
    let started = parse(&run(&place.0, &start(&daemon)).stdout);
    let freeze = |pid: &Value| {
        let stopped = std::process::Command::new("/bin/kill").args(["-s", "STOP", &pid.to_string()]).status();
        assert!(stopped.unwrap().success());
        let is_stopped = || support::json(&place.0, &["probe"]).1["stopped"] == true;
        testkit::eventually(SOON, "the daemon is stopped", is_stopped);
    };
    freeze(&started["pid"]);
    let kept = run(&place.0, &["start", "--replace", "never"]);
    assert_eq!(code(&kept), 4, "{kept:?}");
    assert!(kept.stderr.contains(&format!("process {} has ", started["pid"])), "{kept:?}");
    let replaced = parse(&run(&place.0, &start(&daemon)).stdout);
    assert_eq!(
        (&replaced["result"], &replaced["killed"]),
        (&json!("started"), &started["pid"]),
        "{replaced}"
    );
    freeze(&replaced["pid"]);
    let stopped = support::json(&place.0, &["stop"]);
    assert_eq!(stopped, (0, json!({ "result": "killed", "pid": replaced["pid"] })));
}

#[test]
fn stop_waits_as_long_as_its_variable_says() {
    let _watchdog = watchdog(2 * SOON);
    let place = TempEndpoint::new();
    let at = crate::daemon::locations(&place);
    // Who holds the lock of the files, and listens nowhere.
    let elsewhere = zccache_ipc::endpoint::Endpoint::from(place.name());
    let policy = zccache_ipc::endpoint::DirPolicy::Dedicated;
    let _claim = zccache_ipc::endpoint::Claim::take(&elsewhere, at.lock_file(), policy).unwrap();
    let began = std::time::Instant::now();
    let stop = Process::spawn(program(&place, &["stop"]).env("ZCCACHE_STOP_TIMEOUT_SECS", "1")).finish(SOON);
    assert_eq!(code(&stop), 4, "{stop:?}");
    assert!(stop.stderr.contains("within 1s"), "{stop:?}");
    assert!(began.elapsed() < std::time::Duration::from_secs(8), "not the ten seconds without it");
}
