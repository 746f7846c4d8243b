//! Every program under `examples/`, run.

use std::path::PathBuf;
use std::time::Duration;

use testkit::{Finished, Process, TempEndpoint, eventually, watchdog};
use zccache_ipc::ClientConfig;
use zccache_ipc::blocking::Client;
use zccache_ipc::endpoint::{Platform, endpoint_for_cache_dir};

const STEP: Duration = Duration::from_secs(30);

/// Returns the path of an example, which cargo builds with the tests.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this test has a path");
    let profile = test.ancestors().nth(2).expect("a test is in target/debug/deps");
    let path = profile.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(path.is_file(), "{} is not built", path.display());
    path
}

fn run(place: &TempEndpoint, name: &str) -> Finished {
    let finished = Process::spawn(&mut place.command(example(name))).finish(STEP);
    assert!(finished.status.success(), "{name}: {finished:?}");
    finished
}

#[test]
fn each_lane_is_shown_in_memory() {
    let _watchdog = watchdog(STEP);
    let place = TempEndpoint::new();
    for name in ["lane_v15", "lane_v16", "lane_frame_v1"] {
        assert!(run(&place, name).stdout.contains("reply: "), "{name}");
    }
}

#[test]
fn the_server_answers_its_own_client() {
    let _watchdog = watchdog(STEP);
    assert_eq!(run(&TempEndpoint::new(), "server").stdout, "answered\n");
}

#[test]
fn the_clients_say_that_there_is_no_daemon() {
    let _watchdog = watchdog(STEP);
    let place = TempEndpoint::new();
    for name in ["client", "blocking_client"] {
        assert!(run(&place, name).stdout.starts_with("no daemon listens at "), "{name}");
    }
}

#[cfg(feature = "signals")]
#[test]
fn of_two_daemons_one_serves_and_ends_when_it_is_asked() {
    let _watchdog = watchdog(STEP);
    let place = TempEndpoint::new();
    let directory = place.dir().join("d");
    let start = || Process::spawn(place.command(example("daemon")).arg(&directory));
    let daemon = start();
    let name = directory.to_str().expect("UTF-8");
    let endpoint = endpoint_for_cache_dir(name, None, Platform::CURRENT);
    let client = || Client::new(endpoint.clone(), ClientConfig::within(STEP));
    eventually(STEP, "the daemon answers", || client().status().is_ok());
    let loser = start().finish(STEP);
    assert!(loser.status.success() && loser.stdout.starts_with("another daemon"), "{loser:?}");
    client().shutdown().expect("it answers");
    let ended = daemon.finish(STEP);
    assert!(ended.status.success() && ended.stdout.ends_with("ended: Shutdown\n"), "{ended:?}");
    assert!(!directory.join("daemon.sock").exists());
}
