//! The daemon as a broker starts it: by the environment alone, with or without a listener.

use std::io::Read as _;
use std::os::fd::AsRawFd as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Command;

use rustix::io::{FdFlags, fcntl_setfd};
use testkit::{Process, TempEndpoint, eventually, watchdog};

use super::{LIMIT, SOON, client, daemon};

/// The daemon's program as a broker runs it, which has chosen the socket of `place`.
fn by_a_broker(place: &TempEndpoint) -> Command {
    let mut command = daemon(place, &[]);
    command
        .env("RUNNING_PROCESS_IS_DAEMON", "1")
        .env("RUNNING_PROCESS_BROKER_V1_BACKEND_PIPE", place.name())
        .env("RUNNING_PROCESS_BROKER_V1_BACKEND_NAMESPACE", "shared");
    command
}

fn log(place: &TempEndpoint) -> String {
    let logs = std::fs::read_dir(place.cache_dir().join("logs")).into_iter().flatten().flatten();
    let daemons = logs.filter(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        name.starts_with("daemon-") && !name.starts_with("daemon-lifecycle")
    });
    daemons.map(|entry| std::fs::read_to_string(entry.path()).expect("a log can be read")).collect()
}

#[test]
fn a_listener_that_a_broker_passes_on_is_served_and_not_bound_again() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let listener = UnixListener::bind(place.socket()).unwrap();
    // It waits in the backlog of the broker's listener, and nowhere else.
    let mut early = UnixStream::connect(place.socket()).unwrap();
    early.set_read_timeout(Some(SOON)).unwrap();
    std::io::Write::write_all(&mut early, &[8, 0, 0, 0, 15, 0, 0, 0, 0, 0, 0, 0]).unwrap();
    fcntl_setfd(&listener, FdFlags::empty()).unwrap();
    let number = listener.as_raw_fd().to_string();
    let mut process = Process::spawn(by_a_broker(&place).env("RUNNING_PROCESS_BROKER_LISTENER_FD", number));
    drop(listener);
    early.read_exact(&mut [0; 12]).expect("the daemon answers who came before it");

    let mut client = client(&place.name());
    assert_eq!(client.status().unwrap().endpoint, place.name());
    assert!(log(&place).contains("the starter passed its listener on"), "{}", log(&place));
    // No other daemon gets the endpoint, and the one at the default endpoint is another.
    let other = super::run(&place, &["--foreground", "--endpoint", &place.name()]);
    assert!(other.status.success() && other.stderr.contains(&process.id().to_string()), "{other:?}");
    assert!(!place.cache_dir().join("daemon.lock").exists());
    client.shutdown().unwrap();
    assert!(process.wait_exit(SOON).success());
    assert!(!place.socket().exists(), "the broker has left the socket to its daemon");
}

#[test]
fn without_a_listener_it_binds_what_the_broker_says_in_this_process() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut process = Process::spawn(&mut by_a_broker(&place));
    let mut client = client(&place.name());
    assert!(process.is_running(), "it serves itself, and does not start another process");
    assert!(std::path::Path::new(&format!("{}.lifetime", place.name())).exists(), "it holds a lock");
    client.shutdown().unwrap();
    assert!(process.wait_exit(SOON).success());
    // Its endpoint is never used again, and so neither is anything that is named after it.
    let left = [place.dir().to_owned(), place.cache_dir()].map(|directory| {
        let entries = std::fs::read_dir(directory).unwrap().flatten();
        let names: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names
    });
    let kept =
        |name: &&String| name.ends_with(".lifetime") || name.ends_with(".lock") || name.ends_with(".json");
    let of_endpoint: Vec<_> = left.iter().flatten().filter(kept).collect();
    assert!(of_endpoint.is_empty(), "{left:?}");
}

#[test]
fn a_descriptor_that_is_something_else_is_left_alone_and_the_path_is_bound() {
    let _watchdog = watchdog(LIMIT);
    for number in ["", "0", "seven", "999", "-1"] {
        let place = TempEndpoint::new();
        let mut command = by_a_broker(&place);
        let mut process = Process::spawn(command.env("RUNNING_PROCESS_BROKER_LISTENER_FD", number));
        let mut client = client(&place.name());
        assert_eq!(log(&place).contains("not taken over"), !number.is_empty(), "{number:?}");
        client.shutdown().unwrap();
        assert!(process.wait_exit(SOON).success(), "{number:?}");
    }
}

#[test]
fn what_a_broker_said_is_not_passed_on_to_the_daemons_that_are_started_from_there() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let own = place.dir().join("own");
    let started = Process::spawn(by_a_broker(&place).args(["--endpoint", own.to_str().unwrap()]));
    let finished = started.finish(SOON);
    assert!(finished.status.success(), "{finished:?}");
    let mut client = client(own.to_str().unwrap());
    let pid = std::fs::read_dir(place.cache_dir())
        .unwrap()
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "lock"))
        .find_map(|entry| std::fs::read_to_string(entry.path()).ok()?.parse::<u32>().ok());
    if let Some(environ) = pid.and_then(|pid| std::fs::read(format!("/proc/{pid}/environ")).ok()) {
        assert!(!String::from_utf8_lossy(&environ).contains("RUNNING_PROCESS_BROKER"), "of {pid:?}");
    }
    assert!(!place.socket().exists());
    client.shutdown().unwrap();
    eventually(SOON, "it ends", || !own.exists());
}
