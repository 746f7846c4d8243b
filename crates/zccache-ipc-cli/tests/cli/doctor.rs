//! `doctor`: what is wrong, and what to do about it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use testkit::{Process, TempEndpoint, eventually, watchdog};

use crate::daemon::locations;
use crate::support::{self, SOON, code, json, program, run};

/// Most time that `doctor` takes.
const BOUND: Duration = Duration::from_secs(3);

/// The findings of `check`.
fn findings<'a>(said: &'a Value, check: &str) -> Vec<&'a Value> {
    let all = said["findings"].as_array().expect("a list");
    all.iter().filter(|finding| finding["check"] == check).collect()
}

/// The one finding of `check`, which must be of this severity, and have a fix unless all is well.
#[track_caller]
fn finding<'a>(said: &'a Value, check: &str, severity: &str) -> &'a Value {
    let found = findings(said, check);
    let [finding] = found.as_slice() else { panic!("{check}: {found:?} in {said}") };
    assert_eq!(finding["severity"], severity, "{finding}");
    assert!(severity == "ok" || finding["fix"].as_str().is_some_and(|fix| !fix.is_empty()), "{finding}");
    finding
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("the path is ours");
}

/// Everything below `place` with its kind, mode and length.
fn listing(directory: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for entry in fs::read_dir(directory).expect("the place is ours").flatten() {
        let metadata = fs::symlink_metadata(entry.path()).expect("nobody removes it");
        all.push(format!("{:?} {:o} {}", entry.path(), metadata.permissions().mode(), metadata.len()));
        if metadata.is_dir() {
            all.extend(listing(&entry.path()));
        }
    }
    all.sort_unstable();
    all
}

#[test]
fn doctor_reports_no_problem_in_an_empty_cache_directory_and_changes_nothing() {
    let daemon = testkit::program("zccache-daemon");
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let before = listing(place.dir());
    // The daemon's program is beside this one, or at least on the path.
    let mut command = program(&place, &["--json", "doctor"]);
    let finished = Process::spawn(command.env("PATH", daemon.parent().unwrap())).finish(SOON);
    let said = support::parse(&finished.stdout);
    assert_eq!((code(&finished), said["worst"].as_str()), (0, Some("ok")), "{said}");
    assert_eq!(listing(place.dir()), before, "it made or changed something");
    for check in
        ["endpoint", "socket directory", "cache root", "store", "registry", "daemon", "identity", "route"]
    {
        finding(&said, check, "ok");
    }
    for lock in ["socket lock", "lifetime lock", "lock file", "start lock"] {
        finding(&said, lock, "ok");
    }
    let text = run(&place, &["doctor"]).stdout;
    assert!(text.contains("nobody listens at") && text.contains("start one: zccache-ipc start"), "{text}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_daemon_is_described_and_a_frozen_one_is_an_error_within_three_seconds() {
    let daemon = testkit::program("zccache-daemon");
    let _watchdog = watchdog(2 * SOON);
    let place = TempEndpoint::new();
    let mut command = place.command(daemon);
    let process = Process::spawn(command.args(["--foreground", "--idle-timeout", "60"]));
    eventually(SOON, "the daemon is verified", || json(&place, &["probe"]).1["verified"] == "identity");
    let (code, said) = json(&place, &["doctor"]);
    assert_eq!((code, said["worst"].as_str()), (0, Some("ok")), "{said}");
    for check in ["daemon", "verified", "identity", "wire", "release", "socket", "last daemon"] {
        finding(&said, check, "ok");
    }
    let id = process.id().to_string();
    for check in ["daemon", "socket lock", "lock file"] {
        assert!(finding(&said, check, "ok")["text"].as_str().unwrap().contains(&id), "{said}");
    }

    let stopped = std::process::Command::new("/bin/kill").args(["-s", "STOP", &id]).status().unwrap();
    assert!(stopped.success());
    eventually(SOON, "it is stopped", || json(&place, &["probe"]).1["stopped"] == true);
    let before = listing(place.dir());
    let (code, said) = support::within(BOUND, || json(&place, &["doctor"]));
    assert_eq!((code, said["worst"].as_str()), (8, Some("error")), "{said}");
    let daemon = finding(&said, "daemon", "error");
    assert!(daemon["text"].as_str().unwrap().contains("stopped by a signal"), "{daemon}");
    assert!(daemon["fix"].as_str().unwrap().contains(&format!("kill -CONT {id}")), "{daemon}");
    assert_eq!(listing(place.dir()), before, "it changed something");
}

#[test]
fn doctor_distinguishes_a_foreign_listener_from_a_dead_socket() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let path = locations(&place).endpoint().to_string();
    let listener = UnixListener::bind(&path).unwrap();
    let (code, said) = json(&place, &["doctor"]);
    assert_eq!(code, 8, "{said}");
    let me = std::process::id().to_string();
    let daemon = finding(&said, "daemon", "error");
    assert!(daemon["text"].as_str().unwrap().contains(&me), "{daemon}");
    assert!(daemon["fix"].as_str().unwrap().contains("not proved to be the daemon"), "{daemon}");
    finding(&said, "socket lock", "warning");

    drop(listener);
    let (code, said) = json(&place, &["doctor"]);
    assert_eq!(code, 7, "{said}");
    assert!(finding(&said, "socket", "warning")["text"].as_str().unwrap().contains("left over"), "{said}");
    assert!(Path::new(&path).exists(), "it was only looked at");
}

#[test]
fn directories_and_files_that_are_not_safe_have_a_fix() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let cache = place.cache_dir();
    chmod(&cache, 0o755);
    let (code, said) = json(&place, &["doctor"]);
    assert_eq!(code, 7, "{said}");
    assert_eq!(finding(&said, "cache root", "warning")["fix"], format!("chmod 700 {}", cache.display()));

    chmod(&cache, 0o777);
    let (code, said) = json(&place, &["doctor"]);
    assert_eq!(code, 8, "{said}");
    assert_eq!(finding(&said, "socket directory", "error")["fix"], format!("chmod 700 {}", cache.display()));
    chmod(&cache, 0o700);

    let store = locations(&place).store_file().to_owned();
    fs::create_dir(&store).unwrap();
    fs::write(locations(&place).endpoint().as_str(), "precious").unwrap();
    fs::create_dir(format!("{}.lifetime", locations(&place).endpoint())).unwrap();
    let (code, said) = json(&place, &["doctor"]);
    assert_eq!(code, 8, "{said}");
    let look = |path: &Path| format!("see whose it is: ls -ld {}; or choose another", path.display());
    let fix = |check: &str| finding(&said, check, "error")["fix"].as_str().unwrap().to_owned();
    assert!(fix("store").starts_with(&look(&store)), "{said}");
    let socket = locations(&place).endpoint().to_string();
    assert!(fix("socket").starts_with(&look(Path::new(&socket))), "{said}");
    assert!(fix("socket lock").starts_with(&look(Path::new(&format!("{socket}.lifetime")))), "{said}");
    let all = said["findings"].as_array().unwrap().iter();
    for fix in all.filter_map(|finding| finding["fix"].as_str()) {
        let destroys = ["rm ", "mv ", "kill ", "sudo "].iter().any(|command| fix.contains(command));
        assert!(!destroys, "{fix}");
    }
}

#[test]
fn leftovers_of_daemons_and_clients_are_listed_and_stay() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let cache = place.cache_dir();
    fs::write(cache.join("ipc-store-daemon.redb.corrupt-1"), "xx").unwrap();
    // No process has the largest id.
    fs::write(cache.join(".zccache-2147483647-0.tmp"), "x").unwrap();
    fs::write(cache.join("daemon.lock"), "2147483647").unwrap();
    // That of a daemon at another endpoint, which was killed, and that of one which lives.
    fs::write(cache.join("daemon-0123456789abcdef.lock"), "2147483647").unwrap();
    fs::write(cache.join("daemon-0123456789abcdef.lifetime"), "").unwrap();
    fs::write(cache.join("daemon-fedcba9876543210.lock"), std::process::id().to_string()).unwrap();
    fs::write(cache.join("daemon.start-failed"), "\"/p\" []\nno room left").unwrap();
    fs::write(cache.join("daemon.running-process.json"), "{").unwrap();
    fs::create_dir(cache.join("logs")).unwrap();
    chmod(&cache.join("logs"), 0o700);
    let last = r#"{"event":"died-error","pid":7,"reason":"it fell"}"#;
    fs::write(cache.join("logs/daemon-lifecycle.log"), format!("{last}\n")).unwrap();
    let before = listing(place.dir());
    let (code, said) = json(&place, &["doctor"]);
    assert_eq!(code, 7, "{said}");
    assert_eq!(findings(&said, "leftovers").len(), 3, "{said}");
    let killed = cache.join("daemon-0123456789abcdef");
    let killed = killed.display();
    for leftover in findings(&said, "leftovers") {
        assert!(leftover["fix"].as_str().unwrap().starts_with("nothing needs to be done"), "{leftover}");
    }
    assert_eq!(findings(&said, "leftovers")[2]["path"], format!("{killed}.lock"));
    assert!(findings(&said, "leftovers").iter().all(|finding| finding["severity"] == "warning"), "{said}");
    assert!(finding(&said, "lock file", "warning")["text"].as_str().unwrap().contains("left over"), "{said}");
    assert!(
        finding(&said, "last start", "warning")["text"].as_str().unwrap().contains("no room left"),
        "{said}"
    );
    assert!(finding(&said, "last daemon", "warning")["text"].as_str().unwrap().contains("it fell"), "{said}");
    assert_eq!(listing(place.dir()), before, "it removed something");
}

#[test]
fn a_long_endpoint_and_an_unknown_wire_are_findings() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let long = format!("/{}", "x".repeat(200));
    let mut command = program(&place, &["--json", "--endpoint", &long, "doctor"]);
    let finished = Process::spawn(command.env("ZCCACHE_DAEMON_WIRE", "v99")).finish(SOON);
    let said = support::parse(&finished.stdout);
    assert_eq!(code(&finished), 8, "{said}");
    assert!(finding(&said, "endpoint", "error")["text"].as_str().unwrap().contains("201 bytes"), "{said}");
    assert!(
        finding(&said, "wire", "error")["fix"].as_str().unwrap().contains("ZCCACHE_DAEMON_WIRE"),
        "{said}"
    );
}

#[test]
fn doctor_reports_the_route_without_contacting_a_broker() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let doctor = |name: &str, value: &str| {
        let mut command = program(&place, &["--json", "doctor"]);
        support::parse(&Process::spawn(command.env(name, value)).finish(SOON).stdout)
    };
    let said = doctor("RUNNING_PROCESS_DISABLE", "1");
    assert!(finding(&said, "route", "ok")["text"].as_str().unwrap().contains("RUNNING_PROCESS_DISABLE"));
    finding(&said, "identity", "ok");
    let said = doctor("RUNNING_PROCESS_FAKE_BACKEND", "/f");
    finding(&said, "route", "warning");
    let said = doctor("ZCCACHE_BROKER_CONNECT", "1");
    assert!(
        finding(&said, "route", "warning")["text"].as_str().unwrap().contains("there is none at"),
        "{said}"
    );
}

/// The rule of the publisher, which differs from the rule of running-process in some cases.
#[cfg(target_os = "linux")]
#[test]
fn the_registry_is_looked_for_where_a_daemon_would_publish() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let doctor = |name: &str, value: &str| {
        let mut command = program(&place, &["--json", "doctor"]);
        support::parse(&Process::spawn(command.env(name, value)).finish(SOON).stdout)
    };
    let below = |base: &Path| base.join("running-process/manifests").display().to_string();
    let data = place.dir().join("data");
    let said = doctor("XDG_DATA_HOME", data.to_str().unwrap());
    assert_eq!(finding(&said, "registry", "ok")["path"], below(&data));
    for relative in ["", "data"] {
        let said = doctor("XDG_DATA_HOME", relative);
        let text = finding(&said, "registry", "warning")["text"].as_str().unwrap();
        assert!(text.contains("XDG_DATA_HOME"), "{text}");
    }
    let named = place.dir().join("named");
    fs::create_dir(&named).unwrap();
    chmod(&named, 0o755);
    let said = doctor("RUNNING_PROCESS_MANIFEST_DIR", named.to_str().unwrap());
    assert_eq!(finding(&said, "registry", "warning")["fix"], format!("chmod 700 {}", named.display()));
    let said = doctor("RUNNING_PROCESS_DISABLE", "1");
    finding(&said, "registry", "ok");
}

/// No process writes into the fifo, so a program that opens it like a file waits for ever.
#[test]
fn a_fifo_in_place_of_the_identity_file_is_reported_without_a_wait() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let file = locations(&place).identity_file().to_owned();
    assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
    let _daemon = crate::daemon::Daemon::start(&place, crate::daemon::Manner::Good);
    let (code, said) = json(&place, &["doctor"]);
    assert_eq!(code, 7, "{said}");
    let text = finding(&said, "identity", "warning")["text"].as_str().unwrap();
    assert!(text.contains("a fifo, not a file"), "{text}");
    let (code, said) = json(&place, &["probe"]);
    assert_eq!((code, said["verified"].as_str()), (0, Some("lock")), "{said}");
    assert!(file.exists(), "it was only looked at");
}
