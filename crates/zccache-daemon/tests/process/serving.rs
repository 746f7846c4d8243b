//! A daemon at work, seen by a client.

use testkit::{TempEndpoint, eventually, watchdog};
use zccache_ipc::blocking::Client;
use zccache_ipc::model::{SessionStart, StoreResult};
use zccache_ipc::{CallError, ClientConfig, Lane, WirePolicy};

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
fn a_daemon_ends_when_another_daemon_holds_its_locks() {
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

/// A client of `place` that speaks this lane and no other.
fn on(place: &TempEndpoint, lane: Lane) -> Client {
    Client::new(place.name(), ClientConfig::within(SOON).wire(WirePolicy::Only(lane)))
}

#[test]
fn every_lane_is_served_and_its_requests_are_counted_over_every_server() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut daemon = spawn(&place, &["--log-file", "log", "--log-level", "debug"]);
    client(&place.name()); // a ping on v16
    let log = || std::fs::read_to_string(place.dir().join("log")).unwrap();
    on(&place, Lane::V15).store("key", artifact(1000)).unwrap();
    for lane in Lane::ALL {
        assert_eq!(on(&place, lane).lookup("key").unwrap(), Some(artifact(1000)), "{lane}");
    }
    on(&place, Lane::FrameV1).status().unwrap();
    assert!(log().contains("2 on v15, 2 on v16, 1 in running-process frames"), "{}", log());

    // Another server takes the place of the first one, whose requests are not forgotten.
    std::fs::remove_file(place.socket()).unwrap();
    client(&place.name());
    on(&place, Lane::V15).shutdown().unwrap();
    assert!(daemon.wait_exit(SOON).success());
    assert!(log().contains("3 on v15, 3 on v16, 2 in running-process frames"), "{}", log());
    let told = lifecycle(&place);
    let end = told.lines().find(|line| line.contains("died-shutdown")).unwrap();
    let end: serde_json::Value = serde_json::from_str(end).unwrap();
    assert_eq!(
        (&end["requests_v15"], &end["requests_v16"], &end["requests_frame_v1"], &end["oldest_wire"]),
        (&3.into(), &3.into(), &2.into(), &"v15".into()),
        "{end}"
    );
}

#[test]
fn a_daemon_of_one_wire_refuses_the_other_and_counts_what_it_served() {
    let _watchdog = watchdog(LIMIT);
    for (wires, served, refused) in [
        ("v15", [Lane::V15].as_slice(), [Lane::V16, Lane::FrameV1].as_slice()),
        ("v16", &[Lane::V16, Lane::FrameV1], &[Lane::V15]),
    ] {
        let place = TempEndpoint::new();
        let mut daemon = spawn(&place, &["--wires", wires]);
        client(&place.name());
        for lane in served {
            on(&place, *lane).ping().unwrap();
        }
        for lane in refused {
            let error = on(&place, *lane).ping().unwrap_err();
            assert!(matches!(error, CallError::VersionRefused { .. }), "{lane}: {error:?}");
        }
        client(&place.name()).shutdown().unwrap();
        assert!(daemon.wait_exit(SOON).success());
        let told = lifecycle(&place);
        assert!(told.contains(&format!(r#""oldest_wire":"{wires}""#)), "{told}");
    }
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
