//! `probe`: who answers, verified how.

use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Duration;

use testkit::{Process, TempEndpoint, eventually, watchdog};

use crate::daemon::{Daemon, Manner, locations};
use crate::support::{self, SOON, code, json};

/// A daemon of this workspace, in the foreground, and so ended with the test.
fn real(place: &TempEndpoint, program: &Path) -> Process {
    let mut command = place.command(program);
    let daemon = Process::spawn(command.args(["--foreground", "--idle-timeout", "60"]));
    eventually(SOON, "the daemon answers", || json(place, &["ping"]).0 == 0);
    daemon
}

#[test]
fn a_probe_without_a_daemon_creates_no_file() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let (code, said) = json(&place, &["probe"]);
    assert_eq!((code, said["answers"].as_bool(), said["verified"].as_str()), (3, Some(false), Some("no")));
    assert_eq!(said["identity"]["outcome"], "none");
    assert_eq!(std::fs::read_dir(place.cache_dir()).unwrap().count(), 0);
}

#[test]
fn a_daemon_is_verified_by_its_lock_and_by_its_identity() {
    let program = testkit::program("zccache-daemon");
    let _watchdog = watchdog(2 * SOON);
    let place = TempEndpoint::new();
    let daemon = real(&place, &program);
    let id = u64::from(daemon.id());
    let mut said = serde_json::Value::Null;
    eventually(SOON, "the daemon is verified by its identity", || {
        let (code, now) = json(&place, &["probe"]);
        // Until its file is written, by its lock.
        assert_eq!(code, 0, "{now}");
        said = now;
        said["verified"] == "identity"
    });
    assert_eq!(said["pid"].as_u64(), Some(id));
    assert_eq!((said["listener"].as_u64(), said["lock_holder"].as_u64()), (Some(id), Some(id)));
    assert_eq!((said["lane"].as_str(), said["release"].as_str()), (Some("v16"), Some("1.13.5")));
    assert!(said["latency_us"].as_u64().is_some_and(|micros| micros > 0));

    let mut command = support::program(&place, &["--json", "probe"]);
    let off = Process::spawn(command.env("RUNNING_PROCESS_DISABLE", "1")).finish(SOON);
    let by_lock = support::parse(&off.stdout);
    assert_eq!((code(&off), by_lock["verified"].as_str()), (0, Some("lock")), "{by_lock}");
    assert_eq!(by_lock["identity"]["outcome"], "off");

    let text = support::run(&place, &["probe"]).stdout;
    assert!(text.contains("verified  by its identity"), "{text}");
}

#[test]
fn an_answer_without_a_lock_and_an_identity_is_not_verified() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let _daemon = Daemon::start(&place, Manner::Good);
    // Another process's lock file is in the place of its own: the one that it holds guards nothing here.
    let lock = format!("{}.lifetime", locations(&place).endpoint());
    std::fs::remove_file(&lock).unwrap();
    let (code, said) = json(&place, &["probe"]);
    assert_eq!(
        (code, said["answers"].as_bool(), said["verified"].as_str()),
        (7, Some(true), Some("no")),
        "{said}"
    );
}

#[test]
fn a_silent_listener_is_named_within_two_seconds() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let _listener = UnixListener::bind(locations(&place).endpoint().as_str()).unwrap();
    let (code, said) = support::within(Duration::from_secs(2), || json(&place, &["probe"]));
    assert_eq!((code, said["listener"].as_u64()), (4, Some(std::process::id().into())), "{said}");
    assert_eq!(said["lock"], "free");
}
