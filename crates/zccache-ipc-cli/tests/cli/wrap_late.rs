//! `wrap` and a daemon that stops answering: one call waits for it, for a short time, and tells the others.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::watchdog;
use zccache_ipc::model::Response;

use crate::daemon::{Daemon, Manner};
use crate::support::SOON;
use crate::wrap_place::Place;

/// Most time that one call may spend on a daemon that does not answer, with a compiler on a loaded machine.
const BOUND: Duration = Duration::from_secs(5);

/// Returns numbers that do not compress.
fn noise(count: usize) -> String {
    let next = |last: &u32| Some(last.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    std::iter::successors(Some(1), next).take(count).map(|number| format!("{number}u,")).collect()
}

/// Compiles `args` behind the wrapper, which starts no daemon: the one of the test is in the test's process.
#[track_caller]
fn compile(place: &Place, args: &str, expected: i32) -> (Duration, String) {
    let began = Instant::now();
    let (code, said) = place.sh(&format!("ZCCACHE_NO_SPAWN=1 ZCCACHE_WRAP_LOG=log \"$W\" gcc {args}"));
    assert_eq!(code, expected, "{args}: {said}");
    let log = fs::read_to_string(place.dir().join("log")).unwrap_or_default();
    let last = log.lines().last().unwrap_or_default().to_owned();
    (began.elapsed(), last)
}

#[test]
fn no_compilation_waits_long_for_a_daemon_that_stops_answering() {
    let _watchdog = watchdog(4 * SOON);
    // Before the compiler runs, the client stores what it learned about the compiler; after it, a result and a
    // manifest.
    let mut outcomes = Vec::new();
    for takes in 0..12 {
        let place = Place::new();
        let _daemon = Daemon::start(&place.0, Manner::Takes(takes));
        // A result that is too large for the manifest has a store of its own.
        place.write("a.c", format!("unsigned a[] = {{ {} }};\n", noise(20_000)));
        place.write("b.c", "int b;\n");
        let (took, log) = compile(&place, "-c a.c", 0);
        assert!(took < BOUND, "{takes} stores: {took:?}");
        assert!(place.dir().join("a.o").exists(), "{log}");
        let log: Value = serde_json::from_str(&log).unwrap();
        outcomes.push(log["outcome"].as_str().unwrap().to_owned());
        // What the first call found out is known to the next, for a while.
        let (took, log) = compile(&place, "-c b.c", 0);
        assert!(place.dir().join("b.o").exists() && took < BOUND, "{takes} stores: {took:?}");
        if !log.contains("another call") {
            break;
        }
    }
    // The last first call had every answer; the two before it lost the answers to their stores.
    let are_misses = outcomes.iter().rev().take(3).all(|outcome| outcome == "miss");
    assert!((4..12).contains(&outcomes.len()) && are_misses, "{outcomes:?}");
}

#[test]
fn a_daemon_without_room_is_asked_once_by_each_compilation() {
    let _watchdog = watchdog(2 * SOON);
    let place = Place::new();
    let refused = Arc::default();
    let _daemon = Daemon::start(&place.0, Manner::Full(Arc::clone(&refused)));
    for number in 1..=3 {
        place.write("a.c", format!("int a{number};\n"));
        compile(&place, "-c a.c", 0);
        assert!(place.dir().join("a.o").exists());
        // Neither repeated after the pause that the daemon asks for, nor sent for the next value.
        assert_eq!(refused.load(Ordering::Relaxed), number);
    }
}

#[test]
fn a_compiler_that_fails_fails_as_soon_beside_a_daemon_that_does_not_answer() {
    let _watchdog = watchdog(2 * SOON);
    for manner in [Manner::Silent, Manner::Takes(0)] {
        let place = Place::new();
        let _daemon = Daemon::start(&place.0, manner);
        place.write("a.c", "int 1;\n");
        let (took, _) = compile(&place, "-c a.c 2>/dev/null", 1);
        assert!(took < BOUND, "{took:?}");
    }
}

#[test]
fn a_silent_daemon_is_waited_for_once_in_a_build() {
    let _watchdog = watchdog(2 * SOON);
    for manner in [Manner::Silent, Manner::Says(Box::new(Response::Pong))] {
        let place = Place::new();
        let is_silent = matches!(manner, Manner::Silent);
        let _daemon = Daemon::start(&place.0, manner);
        let line = "for i in 1 2 3 4 5 6 7 8; do echo \"int a$i;\" > $i.c; \"$W\" gcc -c $i.c 2>$i.said; done; \
                    ls [1-8].o | wc -l; cat [1-8].said | wc -l";
        let began = Instant::now();
        let (code, said) = place.sh(&format!("export ZCCACHE_NO_SPAWN=1; {line}"));
        let took = began.elapsed();
        let expected = if is_silent { ["8", "1"] } else { ["8", "8"] };
        assert_eq!((code, said.split_whitespace().collect::<Vec<_>>()), (0, expected.to_vec()));
        assert!(took < BOUND, "{took:?}");
    }
}

#[test]
fn an_unusable_home_is_reported_only_if_a_variable_named_it() {
    let _watchdog = watchdog(2 * SOON);
    let place = Place::new();
    place.write("a.c", "int a;\n");
    let call = "\"$W\" gcc -c a.c -o a.o && test -s a.o";
    // `configure` takes any line on standard error for a warning of the compiler.
    place.quietly(&format!("unset ZCCACHE_CACHE_DIR XDG_RUNTIME_DIR; export HOME=/dev/null/none; {call}"));
    let (code, said) = place.sh(&format!("export ZCCACHE_CACHE_DIR=/dev/null/none; {call}"));
    assert_eq!(code, 0);
    assert!(said.starts_with("zccache-ipc: ") && said.ends_with("gcc runs without it\n"), "{said}");
}
