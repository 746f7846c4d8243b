//! A frozen daemon whose process id belongs to another pid namespace.

use testkit::{Process, eventually, watchdog};
use zccache_ipc::blocking::ensure_daemon;

use crate::place::{LIMIT, Place, SOON, freeze, signal};

/// Options of `unshare` for a pid namespace, also without privileges.
const NAMESPACE: [&str; 5] = ["--user", "--map-root-user", "--pid", "--fork", "--kill-child"];

#[test]
fn a_frozen_daemon_of_another_pid_namespace_is_neither_named_nor_signalled() {
    let place = Place::new();
    let _watchdog = watchdog(LIMIT);
    let mut trial = place.0.command("/usr/bin/unshare");
    if !Process::spawn(trial.args(NAMESPACE).arg("/bin/true")).wait_exit(SOON).success() {
        eprintln!("skipped: this user may make no pid namespace");
        return;
    }
    let mut command = place.0.command("/usr/bin/unshare");
    command.args(NAMESPACE).args(["--mount-proc", "/bin/sh", "-c", r#""$0" "$@" & wait"#]);
    command.arg(testkit::program("zccache-daemon"));
    command.args(["--foreground", "--endpoint", place.endpoint().as_str()]);
    let namespace = Process::spawn(&mut command);
    eventually(SOON, "the daemon answers", || place.ping().is_ok());
    let shell = child_of(namespace.id());
    let daemon = child_of(shell);
    // A bystander whose id here equals the daemon's id in its namespace cannot be arranged; 2 is a kernel thread
    // or nothing, and a signal to it would fail.
    freeze(daemon);
    let error = match ensure_daemon(&place.config()) {
        Err(error) => error,
        Ok(ensured) => panic!("{ensured:?} in the place of a daemon that is frozen and not proved"),
    };
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    for named in ["process 2", "pid 2", "kill "] {
        assert!(!text.contains(named), "{text}");
    }
    assert!(std::path::Path::new(&format!("/proc/{daemon}")).exists(), "it was killed: {text}");
    signal(daemon, "CONT");
    eventually(SOON, "it answers again", || place.ping().is_ok());
}

/// Returns the first child of a process, as this namespace numbers it.
#[track_caller]
fn child_of(id: u32) -> u32 {
    let text = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).expect("it lives");
    text.split_whitespace().next().and_then(|child| child.parse().ok()).expect("it has a child")
}
