//! How a daemon ends.

use std::time::{Duration, Instant};

use testkit::{TempEndpoint, watchdog};

use super::{LIMIT, SOON, client, lifecycle, spawn};

#[test]
fn a_daemon_without_requests_ends() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let began = Instant::now();
    let mut daemon = spawn(&place, &["--idle-timeout", "1"]);
    let _idle = client(&place.name()); // a connection without requests keeps nobody up
    assert!(daemon.wait_exit(SOON).success());
    assert!(began.elapsed() >= Duration::from_secs(1));
    let told = lifecycle(&place);
    assert!(told.contains(r#""event":"died-idle""#) && told.contains(r#""idle_timeout_secs":1"#), "{told}");
}

#[cfg(unix)]
#[test]
fn a_request_of_the_system_to_end_is_followed_cleanly() {
    let _watchdog = watchdog(LIMIT);
    for signal in ["TERM", "INT"] {
        let place = TempEndpoint::new();
        let mut daemon = spawn(&place, &[]);
        client(&place.name());
        let killed =
            std::process::Command::new("/bin/kill").args(["-s", signal, &daemon.id().to_string()]).status();
        assert!(killed.unwrap().success());
        assert!(daemon.wait_exit(SOON).success(), "{signal}");
        assert!(!place.socket().exists(), "{signal}");
        assert!(lifecycle(&place).contains("died-signal"), "{}", lifecycle(&place));
    }
}

#[test]
fn an_idle_client_does_not_keep_a_stopped_daemon() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut daemon = spawn(&place, &[]);
    let _idle = client(&place.name());
    let began = Instant::now();
    client(&place.name()).shutdown().unwrap();
    assert!(daemon.wait_exit(SOON).success());
    // Less than what a drain may take that waits for somebody.
    assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
}

#[cfg(target_os = "linux")]
#[test]
fn a_log_that_cannot_be_written_does_not_end_the_daemon() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    // As after `zccache-daemon --foreground 2>&1 | head -1`, from the first line on.
    let mut command = place.command("/bin/sh");
    command.args(["-c", r#"exec "$0" --foreground --log-level trace --endpoint "$1" 2>/dev/full"#]);
    command.args([env!("CARGO_BIN_EXE_zccache-daemon"), &place.name()]);
    let mut daemon = testkit::Process::spawn(&mut command);
    client(&place.name()).shutdown().unwrap();
    let status = daemon.wait_exit(SOON);
    assert!(status.success(), "{status}");
}
