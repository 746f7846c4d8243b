//! A daemon whose socket is taken away, or has something else in its place.

use std::fs;
use std::os::unix::net::{UnixListener, UnixStream};

use testkit::{Process, TempEndpoint, watchdog};
use zccache_ipc::endpoint::{Endpoint, Liveness, endpoint_liveness};

use super::{LIMIT, SOON, client, daemon, lifecycle, spawn};

/// Returns true if a process holds the lock of the endpoint of `place`.
fn is_held(place: &TempEndpoint) -> bool {
    let held = endpoint_liveness(&Endpoint::from(place.name())).expect("the lock can be asked about");
    matches!(held, Some(Liveness::Held { .. }))
}

#[test]
fn a_dead_socket_in_the_place_of_its_own_is_replaced() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut daemon = spawn(&place, &[]);
    client(&place.name());
    fs::remove_file(place.socket()).unwrap();
    drop(UnixListener::bind(place.socket()).unwrap());
    client(&place.name()).shutdown().unwrap();
    assert!(daemon.wait_exit(SOON).success());
    assert!(lifecycle(&place).contains("rebound"), "{}", lifecycle(&place));
}

#[test]
fn a_daemon_ends_without_touching_a_foreign_socket_at_its_path() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut daemon = spawn(&place, &[]);
    client(&place.name());
    fs::remove_file(place.socket()).unwrap();
    let _other = UnixListener::bind(place.socket()).unwrap();
    assert_eq!(daemon.wait_exit(SOON).code(), Some(1), "{daemon}");
    assert!(place.socket().exists());
    assert!(!is_held(&place), "its locks are free");
    assert!(lifecycle(&place).contains("listens at"), "{}", lifecycle(&place));
}

#[test]
fn a_daemon_ends_when_a_file_stays_at_its_path_and_leaves_it_alone() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut daemon = spawn(&place, &[]);
    client(&place.name());
    fs::remove_file(place.socket()).unwrap();
    fs::write(place.socket(), "precious").unwrap();
    assert_eq!(daemon.wait_exit(SOON).code(), Some(1), "{daemon}");
    assert_eq!(fs::read_to_string(place.socket()).unwrap(), "precious");
    assert!(!is_held(&place), "its locks are free");
    assert!(lifecycle(&place).contains("not a socket"), "{}", lifecycle(&place));
}

#[test]
fn a_daemon_listens_again_when_a_file_at_its_path_is_gone_soon() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut daemon = spawn(&place, &["--log-file", "log"]);
    client(&place.name());
    fs::remove_file(place.socket()).unwrap();
    fs::write(place.socket(), "in passing").unwrap();
    testkit::eventually(SOON, "the daemon sees the file", || {
        fs::read_to_string(place.dir().join("log")).is_ok_and(|log| log.contains("cannot be made again"))
    });
    fs::remove_file(place.socket()).unwrap();
    client(&place.name()).shutdown().unwrap();
    assert!(daemon.wait_exit(SOON).success(), "{daemon}");
}

#[test]
fn a_daemon_makes_the_directory_of_its_socket_again() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let directory = place.dir().join("of its own");
    let socket = directory.join("s");
    let name = socket.to_str().expect("temporary paths are UTF-8");
    let mut daemon = Process::spawn(&mut daemon(&place, &["--foreground", "--endpoint", name]));
    client(name);
    fs::remove_dir_all(&directory).unwrap();
    client(name).shutdown().unwrap();
    assert!(daemon.wait_exit(SOON).success(), "{daemon}");
    assert!(lifecycle(&place).contains("rebound"), "{}", lifecycle(&place));
}

#[test]
fn idle_connections_beyond_the_descriptor_limit_do_not_block_new_clients() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut command = place.command("/bin/sh");
    command.args(["-c", r#"ulimit -n 200; exec "$0" --foreground --endpoint "$1""#]);
    command.args([env!("CARGO_BIN_EXE_zccache-daemon"), &place.name()]);
    let mut daemon = Process::spawn(&mut command);
    client(&place.name());
    // More than the daemon has descriptors.
    let idle: Vec<_> = (0..300).filter_map(|_| UnixStream::connect(place.socket()).ok()).collect();
    for _ in 0..20 {
        client(&place.name()).ping().unwrap();
    }
    drop(idle);
    assert!(daemon.stderr().contains("200 descriptors may be open"), "{daemon}");
    client(&place.name()).shutdown().unwrap();
    assert!(daemon.wait_exit(SOON).success());
}
