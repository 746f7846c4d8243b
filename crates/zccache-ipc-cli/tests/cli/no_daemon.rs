//! Verbs where there is no daemon: an answer within a second, and nothing is started.

use std::time::Duration;

use testkit::{TempEndpoint, watchdog};

use crate::support::{ASKING, SOON, code, json, run, within};

#[test]
fn verbs_that_need_a_daemon_fail_at_once_without_one() {
    let _watchdog = watchdog(2 * SOON);
    let place = TempEndpoint::new();
    std::fs::write(place.dir().join("file"), "x").unwrap();
    for verb in ASKING.iter().filter(|verb| **verb != ["clear"]) {
        // Wine takes a second to start a program.
        let bound = Duration::from_secs(if cfg!(windows) { 5 } else { 1 });
        let (code, error) = within(bound, || json(&place, verb));
        assert_eq!((code, error["error"]["kind"].as_str()), (3, Some("no-daemon")), "{verb:?}: {error}");
        let fix = error["error"]["fix"].as_str().unwrap();
        assert_eq!(fix, "start one: zccache-ipc start", "{verb:?}");
        assert_eq!(std::fs::read_dir(place.cache_dir()).unwrap().count(), 0, "{verb:?} made something");
    }
    assert!(!place.dir().join("out").exists());
}

#[test]
fn a_printed_error_has_its_cause_and_its_fix() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let finished = run(&place, &["--endpoint", &place.name(), "ping"]);
    assert_eq!((code(&finished), finished.stdout.as_str()), (3, ""));
    let name = place.name();
    let lines: Vec<&str> = finished.stderr.lines().collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(lines[0], format!("zccache-ipc: no daemon listens at {name}"));
    assert!(lines[1].starts_with("  because: "), "{lines:?}");
    assert_eq!(lines[2], format!("  fix: start one: zccache-ipc --endpoint {name} start"));
}

#[test]
fn without_a_daemon_there_is_nothing_to_stop() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let (code, said) = json(&place, &["stop"]);
    assert_eq!((code, said["result"].as_str()), (0, Some("nothing-to-stop")));
    assert_eq!(std::fs::read_dir(place.cache_dir()).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn a_file_at_the_socket_path_is_no_daemon_and_stays() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let path = place.cache_dir().join("daemon.sock");
    std::fs::write(&path, "mine").unwrap();
    for verb in ["ping", "stop"] {
        let (code, error) = json(&place, &[verb]);
        assert_eq!((code, error["error"]["kind"].as_str()), (1, Some("bad-endpoint")), "{error}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");
}

#[cfg(unix)]
#[test]
fn an_endpoint_that_is_too_long_is_refused_with_its_length() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let long = format!("/{}", "x".repeat(200));
    let (code, error) = json(&place, &["--endpoint", &long, "ping"]);
    assert_eq!((code, error["error"]["kind"].as_str()), (1, Some("bad-endpoint")));
    let message = error["error"]["message"].as_str().unwrap();
    assert!(message.contains("has 201 bytes"), "{message}");
}

#[test]
fn clear_without_a_daemon_removes_the_store_unless_it_is_open() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let store = place.cache_dir().join("ipc-store-daemon.redb");
    std::fs::write(&store, "x".repeat(5000)).unwrap();
    let open = std::fs::File::open(&store).unwrap();
    open.try_lock().unwrap();
    assert_eq!(json(&place, &["clear"]).0, 3);
    assert!(store.exists());
    drop(open);
    std::fs::write(place.cache_dir().join("ipc-store-daemon.redb.corrupt-1"), "x".repeat(1000)).unwrap();
    std::fs::write(place.cache_dir().join("ipc-store-daemon.redb.copy"), "x".repeat(500)).unwrap();
    let (code, cleared) = json(&place, &["clear"]);
    assert_eq!((code, cleared["on_disk_bytes_freed"].as_u64()), (0, Some(6500)), "{cleared}");
    let left = std::fs::read_dir(place.cache_dir()).unwrap();
    let names: Vec<_> = left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!names.iter().any(|name| name.contains("redb")), "{names:?}");
    let (code, nothing) = json(&place, &["clear"]);
    assert_eq!((code, &nothing["result"]), (0, &"nothing-to-clear".into()));
}
