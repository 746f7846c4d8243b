//! A daemon at work, seen by a client.

use testkit::{TempEndpoint, eventually, watchdog};
use zccache_ipc::model::{SessionStart, StoreResult};

use super::{LIMIT, SOON, artifact, client, lifecycle, spawn};

#[test]
fn every_served_family_works_over_a_socket() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut daemon = spawn(&place, &["--report-version", "1.12.0"]);
    let mut client = client(&place.name());
    let session = client
        .session_start(SessionStart { track_stats: true, ..SessionStart::default() })
        .unwrap()
        .session_id;
    assert_eq!(client.lookup("key").unwrap(), None);
    assert_eq!(client.store("key", artifact(100_000)).unwrap(), StoreResult::Stored);
    assert_eq!(client.lookup("key").unwrap(), Some(artifact(100_000)));
    assert_eq!(client.list_rust_artifacts().unwrap(), vec![]);
    let status = client.status().unwrap();
    assert_eq!((status.version.as_str(), status.artifact_count), ("1.12.0", 1));
    assert_eq!((status.endpoint, status.sessions_active), (place.name(), 1));
    let stats = client.session_end(session).unwrap().unwrap();
    assert_eq!((stats.hits, stats.misses, stats.bytes_read), (1, 1, 100_000));
    assert_eq!(client.clear().unwrap().artifacts_removed, 1);
    client.shutdown().unwrap();
    assert!(daemon.wait_exit(SOON).success());
    assert!(lifecycle(&place).contains(r#""event":"spawn""#), "{}", lifecycle(&place));
    assert!(lifecycle(&place).contains(r#""event":"died-shutdown""#), "{}", lifecycle(&place));
}

#[test]
fn a_daemon_whose_socket_is_removed_makes_it_again_and_keeps_its_state() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut daemon = spawn(&place, &[]);
    let mut before = client(&place.name());
    let start = SessionStart { track_stats: true, ..SessionStart::default() };
    let session = before.session_start(start).unwrap().session_id;
    std::fs::remove_file(place.socket()).unwrap();
    let mut after = client(&place.name());
    assert!(after.session_stats(session).unwrap().is_some());
    assert!(lifecycle(&place).contains("rebound"), "{}", lifecycle(&place));
    after.shutdown().unwrap();
    assert!(daemon.wait_exit(SOON).success());
    assert!(!place.socket().exists());
}

/// The lifetime locks of the daemon at `place`.
fn locks(place: &TempEndpoint) -> Vec<std::path::PathBuf> {
    let places = [place.cache_dir().to_owned(), place.dir().to_owned()];
    let entries = places.into_iter().flat_map(|dir| std::fs::read_dir(dir).expect("the place is there"));
    let paths = entries.map(|entry| entry.expect("the place can be read").path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "lifetime")).collect()
}

#[test]
fn a_daemon_whose_files_are_all_removed_makes_them_again() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut daemon = spawn(&place, &[]);
    client(&place.name());
    let removed = locks(&place);
    assert_eq!(removed.len(), 2);
    for path in removed.iter().chain([&place.socket().to_owned()]) {
        std::fs::remove_file(path).unwrap();
    }
    let mut after = client(&place.name());
    assert_eq!(locks(&place), removed);
    let lost = super::run(&place, &["--foreground", "--endpoint", &place.name()]);
    assert!(lost.stderr.contains(&format!("another daemon (process {})", daemon.id())), "{lost:?}");
    after.shutdown().unwrap();
    assert!(daemon.wait_exit(SOON).success());
}

#[test]
fn a_daemon_ends_when_another_one_has_its_locks_by_now() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut first = spawn(&place, &[]);
    client(&place.name());
    // Taken before it can look: a rename puts a held lock in the place of its own.
    let lock = locks(&place).remove(0);
    let held = tempfile::NamedTempFile::new_in(lock.parent().unwrap()).unwrap();
    held.as_file().lock().unwrap();
    std::fs::rename(held.path(), &lock).unwrap();
    assert_eq!(first.wait_exit(SOON).code(), Some(1));
    assert!(lifecycle(&place).contains("another daemon has them"), "{}", lifecycle(&place));
}

#[test]
fn the_log_goes_to_the_file_that_was_asked_for() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let log = place.dir().join("sub").join("log");
    let daemon = spawn(&place, &["--log-file", "sub/log"]);
    client(&place.name()).shutdown().unwrap();
    let finished = daemon.finish(SOON);
    assert_eq!((finished.stdout.as_str(), finished.stderr.as_str()), ("", ""));
    eventually(SOON, "the log tells the end", || {
        std::fs::read_to_string(&log).is_ok_and(|text| text.contains("a client asked the daemon to end"))
    });
}
