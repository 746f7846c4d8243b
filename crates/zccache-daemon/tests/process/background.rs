//! A daemon that is started in the background.

use std::io::Read as _;
use std::process::Stdio;
use std::time::Instant;

use testkit::{TempEndpoint, eventually, watchdog};
use zccache_ipc::endpoint::Endpoint;
use zccache_ipc::endpoint::blocking::Stream;

use super::{LIMIT, SOON, client, daemon, endpoint_of, run};

/// Stops the daemon that a test has started in the background, whatever becomes of the test.
struct Stop(String);

impl Drop for Stop {
    fn drop(&mut self) {
        let config = zccache_ipc::ClientConfig::within(SOON);
        if let Ok(mut client) = zccache_ipc::blocking::Client::connect(self.0.clone(), config) {
            let _ = client.shutdown();
        }
        let endpoint = Endpoint::new(self.0.clone());
        let is_gone = || Stream::connect(&endpoint, Instant::now()).is_err_and(|error| error.is_no_daemon());
        eventually(SOON, "the daemon is gone", is_gone);
    }
}

fn default_endpoint(place: &TempEndpoint) -> String {
    endpoint_of(&place.cache_dir())
}

#[test]
fn a_started_daemon_answers_at_once_and_a_second_start_names_it() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let _stop = Stop(default_endpoint(&place));
    let first = run(&place, &["--report-version", "1.11.21"]);
    assert!(first.status.success(), "{first:?}");
    let pid = std::fs::read_to_string(place.cache_dir().join("daemon.lock")).unwrap();
    let told = format!("zccache-daemon: process {pid} listens at {}\n", default_endpoint(&place));
    assert_eq!((first.stdout.as_str(), first.stderr.as_str()), (told.as_str(), ""));
    assert_eq!(client(&default_endpoint(&place)).status().unwrap().version, "1.11.21");
    let began = Instant::now();
    let second = run(&place, &[]);
    assert!(second.status.success(), "{second:?}");
    assert!(second.stderr.contains(&format!("another daemon (process {pid})")), "{second:?}");
    assert!(began.elapsed().as_secs() < 3);
    assert!(place.cache_dir().join("logs").join("daemon.log").is_file());
}

#[cfg(target_os = "linux")]
#[test]
fn a_start_whose_messages_cannot_be_written_still_starts_the_daemon() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let _stop = Stop(default_endpoint(&place));
    let mut command = place.command("/bin/sh");
    command.args(["-c", r#"exec "$0" >/dev/full 2>&1"#, env!("CARGO_BIN_EXE_zccache-daemon")]);
    for _ in 0..2 {
        let finished = testkit::Process::spawn(&mut command).finish(SOON);
        assert!(finished.status.success(), "{finished:?}");
        client(&default_endpoint(&place));
    }
}

#[test]
fn a_daemon_of_another_cache_directory_at_the_endpoint_is_named() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let winner = super::spawn(&place, &[]);
    client(&place.name());
    let other = place.dir().join("other");
    let lost = run(&place, &["--endpoint", &place.name(), "--cache-dir", other.to_str().unwrap()]);
    assert!(lost.status.success(), "{lost:?}");
    assert!(lost.stderr.contains(&format!("another daemon (process {})", winner.id())), "{lost:?}");
}

#[test]
fn reading_the_output_of_the_starter_to_its_end_does_not_wait_for_the_daemon() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let _stop = Stop(default_endpoint(&place));
    let mut starter = daemon(&place, &[])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stdout, mut stderr) = (starter.stdout.take().unwrap(), starter.stderr.take().unwrap());
    let mut text = String::new();
    stdout.read_to_string(&mut text).unwrap();
    stderr.read_to_string(&mut text).unwrap();
    assert!(starter.wait().unwrap().success(), "{text}");
    client(&default_endpoint(&place));
}

#[cfg(target_os = "linux")]
#[test]
fn a_started_daemon_has_its_own_session_its_log_and_the_listed_environment() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let _stop = Stop(default_endpoint(&place));
    let started =
        testkit::Process::spawn(daemon(&place, &[]).env("SECRET", "x").env("USER", "me")).finish(SOON);
    assert!(started.status.success(), "{started:?}");
    let pid = std::fs::read_to_string(place.cache_dir().join("daemon.lock")).unwrap();
    let process = std::path::Path::new("/proc").join(&pid);
    let environment = std::fs::read_to_string(process.join("environ")).unwrap();
    assert!(environment.contains("USER=me") && !environment.contains("SECRET"), "{environment:?}");
    let log = place.cache_dir().join("logs").join("daemon.log");
    let null = std::path::Path::new("/dev/null");
    // The daemon says there what is wrong with its command line, before it has a log.
    for (stream, expected) in [("0", null), ("1", null), ("2", &log)] {
        let target = std::fs::read_link(process.join("fd").join(stream)).unwrap();
        assert_eq!(target, expected, "{stream}");
    }
    let stat = std::fs::read_to_string(process.join("stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    assert_eq!(
        (fields[2], fields[3]),
        (pid.as_str(), pid.as_str()),
        "it leads its group and session: {stat}"
    );
}

#[test]
fn a_relative_cache_directory_is_resolved_by_the_starter() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let endpoint = endpoint_of(&place.dir().join("zc"));
    let _stop = Stop(endpoint.clone());
    let started = run(&place, &["--cache-dir", "zc"]);
    assert!(started.status.success(), "{started:?}");
    let status = client(&endpoint).status().unwrap();
    assert_eq!(status.cache_dir.as_path(), place.dir().join("zc"));
}

#[test]
fn a_daemon_that_ends_at_once_is_an_error_that_names_its_log() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    // It cannot take its lock.
    std::fs::create_dir(place.cache_dir().join("daemon.lifetime")).unwrap();
    let failed = run(&place, &[]);
    assert_eq!(failed.status.code(), Some(1), "{failed:?}");
    assert!(failed.stderr.contains("the daemon ended with"), "{failed:?}");
    let log = failed.stderr.rsplit_once("see ").unwrap().1.trim();
    assert!(std::fs::read_to_string(log).unwrap().contains("not a lock"));
}

#[cfg(unix)]
#[test]
fn a_file_at_the_socket_path_is_reported_before_a_daemon_is_started() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    std::fs::write(place.socket(), "precious").unwrap();
    let failed = run(&place, &["--endpoint", &place.name()]);
    assert_eq!(failed.status.code(), Some(1), "{failed:?}");
    assert!(failed.stderr.contains("is a regular file, not a socket"), "{failed:?}");
    assert!(failed.stderr.contains("fix: see what it is: ls -l"), "{failed:?}");
    assert_eq!(std::fs::read_to_string(place.socket()).unwrap(), "precious");
}

#[cfg(unix)]
#[test]
fn a_daemon_that_holds_the_endpoint_and_is_frozen_is_named_soon() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let frozen = super::spawn(&place, &[]);
    client(&place.name());
    let signal = |name: &str| {
        let pid = frozen.id().to_string();
        assert!(std::process::Command::new("/bin/kill").args(["-s", name, &pid]).status().unwrap().success());
    };
    signal("STOP");
    let began = Instant::now();
    let failed = run(&place, &["--endpoint", &place.name()]);
    signal("CONT");
    assert_eq!(failed.status.code(), Some(1), "{failed:?}");
    let told = format!("another daemon (process {}) holds {}", frozen.id(), place.name());
    assert!(failed.stderr.contains(&told), "{failed:?}");
    assert!(began.elapsed().as_secs() < 6, "{:?}", began.elapsed());
}
