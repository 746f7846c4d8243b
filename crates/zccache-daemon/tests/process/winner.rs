//! One daemon for one endpoint, whatever happened before.

use std::time::Instant;

use testkit::{Process, TempEndpoint, eventually, holds_within, watchdog};

use super::{LIMIT, SOON, artifact, client, daemon, endpoint_of, lifecycle, run, spawn};

#[test]
fn of_twenty_daemons_one_survives_and_the_others_name_it_and_exit_with_success() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut all: Vec<Process> = (0..20).map(|_| spawn(&place, &[])).collect();
    client(&place.name());
    let losers_gone =
        |all: &mut Vec<Process>| all.iter_mut().filter_map(|one| one.is_running().then_some(())).count() == 1;
    assert!(holds_within(SOON, || losers_gone(&mut all)), "one and only one goes on");
    let winner = all.iter_mut().position(Process::is_running).unwrap();
    let mut winner = all.swap_remove(winner);
    for loser in all {
        let finished = loser.finish(SOON);
        let named = format!("another daemon (process {}) listens at {}", winner.id(), place.name());
        assert!(finished.status.success(), "{finished:?}");
        assert_eq!(finished.stderr.matches(&named).count(), 1, "{finished:?}");
    }
    assert_eq!(lifecycle(&place).matches(r#""event":"lost""#).count(), 19);
    client(&place.name()).shutdown().unwrap();
    assert!(winner.wait_exit(SOON).success());
}

#[test]
fn another_cache_directory_does_not_take_the_endpoint_over() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut first = spawn(&place, &[]);
    client(&place.name());
    let other = place.dir().join("other");
    let name = place.name();
    let lost = run(&place, &["--foreground", "--endpoint", &name, "--cache-dir", other.to_str().unwrap()]);
    assert!(lost.status.success() && lost.stderr.contains(&first.id().to_string()), "{lost:?}");
    assert!(first.is_running());
}

#[test]
fn after_a_kill_the_next_daemon_serves_at_once_and_has_what_was_stored() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut killed = spawn(&place, &[]);
    let mut first = client(&place.name());
    for n in 0..20 {
        first.store(format!("k{n}"), artifact(10_000)).unwrap();
    }
    killed.kill();
    // A pipe goes with its process.
    assert!(cfg!(windows) || place.socket().exists(), "nobody has cleaned up");
    let began = Instant::now();
    let mut next = spawn(&place, &[]);
    let mut second = client(&place.name());
    assert_eq!(second.lookup("k19").unwrap(), Some(artifact(10_000)));
    assert!(began.elapsed().as_secs() < 3, "{:?}", began.elapsed());
    assert_eq!(second.status().unwrap().artifact_count, 20);
    second.shutdown().unwrap();
    assert!(next.wait_exit(SOON).success());
}

#[test]
fn a_daemon_takes_over_a_lock_file_with_any_content() {
    let _watchdog = watchdog(LIMIT);
    for text in ["0", "-1", "99999999999", "not a number", "1", ""] {
        let place = TempEndpoint::new();
        let lock = place.cache_dir().join("daemon.lock");
        std::fs::write(&lock, text).unwrap();
        let mut process = Process::spawn(&mut daemon(&place, &["--foreground"]));
        let mut client = client(&endpoint_of(&place.cache_dir()));
        assert_eq!(std::fs::read_to_string(&lock).unwrap(), process.id().to_string(), "{text:?}");
        client.shutdown().unwrap();
        assert!(process.wait_exit(SOON).success(), "{text:?}");
        eventually(SOON, "the lock file is removed", || !lock.exists());
    }
}
