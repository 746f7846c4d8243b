//! How a daemon ends.

use std::time::{Duration, Instant};

use testkit::{TempEndpoint, watchdog};

use super::{LIMIT, SOON, client, lifecycle, spawn};

#[test]
fn a_daemon_that_nobody_asks_anything_ends() {
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
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}
