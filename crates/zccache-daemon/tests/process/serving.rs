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

#[test]
fn a_daemon_whose_locks_are_removed_ends() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut daemon = spawn(&place, &[]);
    client(&place.name());
    for entry in std::fs::read_dir(place.cache_dir()).unwrap().chain(std::fs::read_dir(place.dir()).unwrap())
    {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "lifetime") {
            std::fs::remove_file(path).unwrap();
        }
    }
    assert_eq!(daemon.wait_exit(SOON).code(), Some(1));
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
