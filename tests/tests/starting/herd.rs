//! Many clients, and no daemon.

use std::time::{Duration, Instant};

use testkit::{Process, eventually, watchdog};
use zccache_ipc::blocking::ensure_daemon;
use zccache_ipc::daemon::StartError;

use crate::parts::herd;
use crate::place::{LIMIT, Place, SOON};

/// The numbers behind `word` in what the processes have said.
fn sum(said: &[String], word: &str) -> usize {
    let numbers = said.iter().map(|said| {
        let rest = said.split_once(word).unwrap_or_else(|| panic!("no {word} in {said}")).1;
        rest.split_whitespace().next().and_then(|number| number.parse::<usize>().ok()).expect("a number")
    });
    numbers.sum()
}

/// Lets `processes` herds go at once, and returns what they say.
fn go(place: &Place, processes: Vec<Process>) -> Vec<String> {
    eventually(SOON, "every client is ready", || {
        processes.iter().all(|process| process.stdout().contains("READY"))
    });
    std::fs::write(place.0.cache_dir().join("go"), "").expect("the place takes files");
    processes.into_iter().map(|process| process.finish(LIMIT).stdout).collect()
}

#[test]
fn of_two_hundred_clients_one_starts_the_daemon_and_all_are_served() {
    let daemon = testkit::program("zccache-daemon");
    let place = Place::new();
    let _watchdog = watchdog(LIMIT);
    let said = go(&place, (0..4).map(|_| herd(&place, 50, &daemon)).collect());
    println!("{said:?}");
    assert_eq!(sum(&said, "SERVED "), 200, "{said:?}");
    assert_eq!(sum(&said, "STARTED "), 1, "{said:?}");
    assert_eq!((place.events("spawn"), place.events("lost")), (1, 0), "one was started, and none in vain");
}

#[cfg(target_os = "linux")]
#[test]
fn of_fifty_clients_of_a_frozen_daemon_one_replaces_it_and_all_are_served() {
    let daemon = testkit::program("zccache-daemon");
    let place = Place::new();
    let _watchdog = watchdog(LIMIT);
    let frozen = ensure_daemon(&place.config()).expect("it starts").pid.expect("it is named");
    crate::place::freeze(frozen.get());
    let said = go(&place, (0..2).map(|_| herd(&place, 25, &daemon)).collect());
    assert_eq!(sum(&said, "SERVED "), 50, "{said:?}");
    assert_eq!(sum(&said, "STARTED "), 1, "{said:?}");
    assert_eq!((place.events("spawn"), place.events("lost")), (2, 0), "one was started, and none in vain");
}

#[test]
fn clients_that_wait_for_a_start_which_fails_do_not_each_try_it_once_more() {
    let place = Place::new();
    // A daemon that takes its time to end, so that all are there when it does.
    let (program, log) = (testkit::stand_in(place.0.dir(), "fails"), place.0.dir().join("starts"));
    let _watchdog = watchdog(LIMIT);
    let said = go(&place, vec![herd(&place, 20, &program)]);
    assert_eq!(sum(&said, "SERVED "), 0, "{said:?}");
    assert!(said[0].contains("has just started"), "{said:?}");
    let starts = std::fs::read_to_string(&log).expect("it was started").lines().count();
    assert!(starts < 5, "{starts} starts of 20 clients: {said:?}");

    // Who comes later tries for itself.
    let error = ensure_daemon(&place.config().program(&program)).expect_err("it still fails");
    assert!(matches!(error, StartError::Ended { .. }), "{error:?}");
}

#[test]
fn a_client_that_waits_for_another_one_says_which_it_is() {
    use zccache_ipc::endpoint::{DirPolicy, Pid, StartLock, StartTurn};
    let place = Place::new();
    let _watchdog = watchdog(LIMIT);
    let locations = place.locations();
    let turn = StartLock::try_take(locations.lock_file(), DirPolicy::Dedicated).expect("it can be taken");
    let StartTurn::Ours(_turn) = turn else { panic!("nobody has it") };
    let began = Instant::now();
    let limit = Duration::from_millis(500);
    let error = ensure_daemon(&place.config().timeout(limit)).expect_err("it is never its turn");
    assert!(
        matches!(&error, StartError::StartLockHeld { by: Some(by), .. } if *by == Pid::current()),
        "{error:?}"
    );
    assert!(began.elapsed() >= limit && began.elapsed() < SOON);
    assert_eq!(place.events("spawn"), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_stopped_client_with_the_start_lock_is_passed_over_and_left_alone() {
    use crate::place::{RECOVERED, freeze, signal};
    let place = Place::new();
    let _watchdog = watchdog(LIMIT);
    let mut starter = crate::parts::starter(&place);
    freeze(starter.id());
    let began = Instant::now();
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let config = place.config();
            std::thread::spawn(move || ensure_daemon(&config).expect("the stopped client is passed over"))
        })
        .collect();
    let ensured = clients.into_iter().map(|client| client.join().expect("no panic"));
    assert_eq!(ensured.filter(|ensured| ensured.is_started).count(), 1);
    assert!(began.elapsed() < RECOVERED, "{:?}", began.elapsed());
    assert!(starter.is_running(), "it was signalled");
    // The next client needs no lock at all.
    assert!(!ensure_daemon(&place.config()).expect("it answers").is_started);
    signal(starter.id(), "CONT");
}
