//! Tests of the entries that survive a kill during a store.

use std::io::Write as _;

use testkit::{Process, eventually};

use super::*;

const VICTIM: &str = "ZCCACHE_DAEMON_STORE_VICTIM";
const BOUNDED_VICTIM: &str = "ZCCACHE_DAEMON_BOUNDED_STORE_VICTIM";
/// Of the bounded store.
const SIZE: u64 = 1 << 20;

fn bounded() -> Limits {
    Limits { size: SIZE, ..Limits::default() }
}

/// Runs this very test as another process, whose store is at `path`, until `enough` lines are printed.
fn killed(name: &str, variable: &str, path: &Path, enough: usize) -> Vec<usize> {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture"]).env(variable, path);
    let mut child = Process::spawn(&mut command);
    let told = |child: &Process| {
        let stdout = child.stdout();
        let done =
            stdout.split_inclusive('\n').filter_map(|line| line.strip_prefix("done ")?.strip_suffix('\n'));
        done.map(|n| n.parse().unwrap()).collect::<Vec<usize>>()
    };
    eventually(LIMIT, "some stores are answered", || told(&child).len() >= enough);
    child.kill();
    told(&child)
}

#[test]
fn answered_stores_survive_a_kill_at_any_moment() {
    if let Some(path) = std::env::var_os(VICTIM) {
        return store_until_killed(open(Path::new(&path)));
    }
    let _watchdog = watchdog(LIMIT);
    let (dir, path) = place();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut acknowledged = 0;
    for round in 0..5 {
        let name = "store::tests::killed::answered_stores_survive_a_kill_at_any_moment";
        acknowledged += killed(name, VICTIM, &path, 5 + round * 7).len();
        let store = open(&path);
        for n in 0..acknowledged {
            let found = runtime.block_on(store.lookup(&format!("k{n}"))).unwrap();
            assert_eq!(found, Some(numbered(n)), "round {round}, entry {n} of {acknowledged}");
        }
        // The newest may be there without having been answered.
        let there = usize::try_from(store.figures().artifacts).unwrap();
        assert!((acknowledged..=acknowledged + 1).contains(&there), "{there} of {acknowledged}");
        acknowledged = there;
        runtime.block_on(store.close());
    }
    assert_eq!(names(&dir), ["store.redb"], "nothing was damaged");
}

fn numbered(n: usize) -> ArtifactData {
    artifact(&format!("contents of {n} "), 1000 + n * 377 % 50_000)
}

#[test]
fn a_bounded_store_that_is_killed_while_it_makes_room_has_the_newest_entries_and_no_wrong_one() {
    if let Some(path) = std::env::var_os(BOUNDED_VICTIM) {
        return store_until_killed(Store::open(Path::new(&path), bounded()).unwrap());
    }
    let _watchdog = watchdog(LIMIT);
    let (dir, path) = place();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let name = "store::tests::killed::\
        a_bounded_store_that_is_killed_while_it_makes_room_has_the_newest_entries_and_no_wrong_one";
    for round in 0..4 {
        let done = killed(name, BOUNDED_VICTIM, &path, 60 + round * 7);
        let newest = *done.iter().max().unwrap();
        let store = Store::open(&path, bounded()).unwrap();
        let mut there = 0;
        for n in 0..newest + 2 {
            if let Some(found) = runtime.block_on(store.lookup(&format!("k{n}"))).unwrap() {
                assert_eq!(found, numbered(n), "round {round}");
                there += 1;
            }
        }
        assert!(runtime.block_on(store.lookup(&format!("k{newest}"))).unwrap().is_some(), "round {round}");
        let figures = store.figures();
        assert_eq!(figures.artifacts, there, "round {round}: what is there is counted");
        assert!(figures.bytes <= SIZE && there < newest as u64, "round {round}: {figures:?}");
        runtime.block_on(store.close());
    }
    assert_eq!(names(&dir), ["store.redb"], "nothing was damaged");
}

/// Goes on where the store's newest entry is.
fn store_until_killed(store: Store) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let is_there = |n: &usize| runtime.block_on(store.lookup(&format!("k{n}"))).unwrap().is_some();
    let first = (0..10_000).rev().find(is_there).map_or(0, |newest| newest + 1);
    for n in first.. {
        runtime.block_on(store.store(&format!("k{n}"), numbered(n))).unwrap();
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(format!("\ndone {n}\n").as_bytes()).unwrap();
        stdout.flush().unwrap();
    }
}
