//! A daemon that lives for the processes of its sessions, and one that does not.

use std::time::Duration;

use testkit::{TempEndpoint, watchdog};
use zccache_ipc::model::{PrivateDaemonSessionOptions, SessionStart};

use super::{LIMIT, SOON, client, daemon, lifecycle, spawn};

fn owned_by(owner_pids: Vec<u32>) -> SessionStart {
    let options = PrivateDaemonSessionOptions { owner_pids, ..Default::default() };
    SessionStart { client_pid: std::process::id(), private_daemon: Some(options), ..SessionStart::default() }
}

/// A process that ends when this is called.
fn owner() -> (u32, impl FnOnce()) {
    let place = TempEndpoint::new();
    let mut owner =
        testkit::Process::spawn(&mut daemon(&place, &["--foreground", "--endpoint", &place.name()]));
    (owner.id(), move || {
        owner.kill();
        drop(place);
    })
}

#[test]
fn a_private_daemon_ends_with_its_last_owner() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut private = spawn(&place, &["--private"]);
    let mut client = client(&place.name());
    let (pid, end) = owner();
    client.session_start(owned_by(vec![pid])).unwrap();
    let status = client.status().unwrap().private_daemon;
    assert!(status.enabled && status.owners.iter().any(|owner| owner.pid == pid), "{status:?}");
    assert!(private.is_running());
    end();
    assert!(private.wait_exit(SOON).success());
    assert!(lifecycle(&place).contains("died-owners"), "{}", lifecycle(&place));
}

#[test]
fn a_private_daemon_ends_with_its_last_session() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut private = spawn(&place, &["--private"]);
    let mut client = client(&place.name());
    let session = client.session_start(owned_by(vec![])).unwrap().session_id;
    client.session_end(session).unwrap();
    assert!(private.wait_exit(SOON).success());
}

#[test]
fn no_client_can_make_a_shared_daemon_end_with_its_processes() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut shared = spawn(&place, &[]);
    let mut client = client(&place.name());
    let (pid, end) = owner();
    let session = client.session_start(owned_by(vec![pid])).unwrap().session_id;
    end();
    client.session_end(session).unwrap();
    assert!(!client.status().unwrap().private_daemon.enabled);
    // Twice as long as a private one looks whether it has an owner.
    assert!(!testkit::holds_within(Duration::from_secs(2), || !shared.is_running()), "it has ended");
    client.shutdown().unwrap();
    assert!(shared.wait_exit(SOON).success());
}

#[test]
fn the_lifecycle_log_has_a_refused_version_but_not_a_flood_of_them() {
    use std::io::{Read as _, Write as _};
    use zccache_ipc::endpoint::{Endpoint, blocking::Stream};
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut daemon = spawn(&place, &["--report-version", "1.12.0"]);
    let mut client = client(&place.name());
    for _ in 0..50 {
        let soon = std::time::Instant::now() + SOON;
        let mut stream = Stream::connect(&Endpoint::from(place.name()), soon).unwrap();
        stream.write_all(&[[8, 0, 0, 0], [25, 0, 0, 0], [0; 4]].concat()).unwrap();
        let mut reply = Vec::new();
        // Until the text is there: a pipe does not end before the server has waited for the client.
        while !String::from_utf8_lossy(&reply).contains("received a request at protocol v25") {
            let mut more = [0; 4096];
            let read = stream.read(&mut more).unwrap();
            assert_ne!(read, 0, "{reply:?}");
            reply.extend_from_slice(&more[..read]);
        }
    }
    client.shutdown().unwrap();
    assert!(daemon.wait_exit(SOON).success());
    let told = lifecycle(&place);
    let events: Vec<_> = told.lines().filter(|line| line.contains("version_mismatch")).collect();
    assert!((1..25).contains(&events.len()), "{told}");
    for expected in [r#""client_protocol_version":25"#, r#""daemon_protocol_version":24"#, r#""1.12.0""#] {
        assert!(events[0].contains(expected), "{told}");
    }
}
