//! Signals that the starter of a daemon left ignored or blocked, and the daemon as process 1.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;

use rustix::process::Signal;
use testkit::{Process, TempEndpoint, eventually, watchdog};

use super::{LIMIT, SOON, client};

/// Returns the set of signals that line `name` of the status of process `id` shows.
fn signals(id: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).expect("it lives");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the kernel shows it");
    u64::from_str_radix(line.trim_start_matches(':').trim(), 16).expect("a hexadecimal number")
}

#[test]
fn ignored_and_blocked_signals_of_the_starter_are_reset() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut command = place.command("/usr/bin/env");
    // A later option undoes none before it.
    command.args(["--ignore-signal=CHLD,TERM,USR1", "--block-signal=TERM,INT,HUP,CHLD"]);
    command.args([env!("CARGO_BIN_EXE_zccache-daemon"), "--foreground", "--endpoint", &place.name()]);
    let mut daemon = Process::spawn(&mut command);
    client(&place.name());
    let id = daemon.id();
    assert_eq!(signals(id, "SigBlk"), 0);
    let ignored = signals(id, "SigIgn");
    for signal in [Signal::CHILD, Signal::TERM, Signal::USR1] {
        assert_eq!(ignored & (1 << (signal.as_raw() - 1)), 0, "{signal:?} in {ignored:x}");
    }
    let pid = rustix::process::Pid::from_raw(i32::try_from(id).unwrap()).unwrap();
    rustix::process::kill_process(pid, Signal::TERM).unwrap();
    let ended = daemon.wait_exit(SOON);
    assert_eq!((ended.code(), ended.signal()), (Some(0), None), "{daemon}");
}

#[test]
fn a_store_beyond_the_limit_of_file_sizes_is_an_error_and_ends_neither_the_daemon_nor_the_limit_of_tools() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut starter = place.command("/bin/sh");
    // Blocks of 512 bytes: 8 MiB, which a new store stays below.
    starter.args(["-c", r#"ulimit -f 16384; exec "$0" --foreground --endpoint "$1""#]);
    starter.arg(env!("CARGO_BIN_EXE_zccache-daemon")).arg(place.name());
    let mut daemon = Process::spawn(&mut starter);
    let mut client = client(&place.name());
    assert!(client.store("large", super::artifact(12 << 20)).is_err());
    client.ping().unwrap();
    let xfsz = 1 << (Signal::XFSZ.as_raw() - 1);
    let id = daemon.id();
    assert_eq!(
        (signals(id, "SigIgn") & xfsz, signals(id, "SigCgt") & xfsz),
        (0, xfsz),
        "a tool gets the default"
    );
    client.shutdown().unwrap();
    assert!(daemon.wait_exit(SOON).success(), "{daemon}");
}

#[test]
fn as_process_1_the_daemon_waits_for_orphans_and_passes_signals_on() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut command = place.command("/usr/bin/unshare");
    command.args(["--user", "--map-root-user", "--pid", "--fork", "--kill-child"]);
    let mut trial = place.command("/usr/bin/unshare");
    trial.args(["--user", "--map-root-user", "--pid", "--fork", "/bin/true"]);
    if !Process::spawn(&mut trial).wait_exit(SOON).success() {
        eprintln!("skipped: this user may make no pid namespace");
        return;
    }
    // An orphan whose parent ends at once, so that it becomes a child of process 1 and ends there.
    command.args(["--mount-proc", "/bin/sh", "-c"]);
    command.args([r#"(/bin/sh -c '/bin/sleep 0.2' &); exec "$0" --foreground --endpoint "$1""#]);
    command.args([env!("CARGO_BIN_EXE_zccache-daemon"), &place.name()]);
    let mut daemon = Process::spawn(&mut command);
    let mut client = client(&place.name());
    let init = init_of(daemon.id());
    let names = || {
        let comm = |child: u32| fs::read_to_string(format!("/proc/{child}/comm")).unwrap_or_default();
        children(init).into_iter().map(comm).collect::<Vec<_>>()
    };
    eventually(SOON, "the orphan is gone, and the daemon is the only child", || {
        names() == ["zccache-daemon\n"]
    });
    client.ping().unwrap();
    let pid = rustix::process::Pid::from_raw(i32::try_from(init).unwrap()).unwrap();
    rustix::process::kill_process(pid, Signal::TERM).unwrap();
    assert!(daemon.wait_exit(SOON).success(), "{daemon}");
}

/// Returns the process that `unshare`, process `id`, made the first one of a namespace.
fn init_of(id: u32) -> u32 {
    *children(id).first().expect("unshare waits for it")
}

fn children(id: u32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    text.split_whitespace().filter_map(|child| child.parse().ok()).collect()
}
