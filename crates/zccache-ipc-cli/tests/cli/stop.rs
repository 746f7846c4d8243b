//! `stop`: it returns when the daemon is gone.

use std::time::Duration;

use serde_json::json;
use testkit::{TempEndpoint, eventually, watchdog};
use zccache_ipc::endpoint::{Claim, DirPolicy, Endpoint, Liveness, liveness};

use crate::daemon::{Daemon, Manner, locations};
use crate::support::{self, SOON};

#[test]
fn stop_returns_when_the_lock_is_free_and_says_which_process_it_was() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let daemon = Daemon::start(&place, Manner::Good);
    let stopped = support::json(&place, &["stop"]);
    // The daemon is a thread of this process.
    assert_eq!(stopped, (0, json!({ "result": "stopped", "pid": std::process::id() })));
    assert_eq!(liveness(locations(&place).lock_file()).unwrap(), Liveness::Free);
    eventually(Duration::from_secs(5), "the daemon ends", || daemon.has_ended());
    assert_eq!(support::json(&place, &["stop"]).1["result"], "nothing-to-stop");
}

/// A daemon that takes no lifetime lock, as released ones do.
#[cfg(unix)]
mod released {
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixListener;
    use std::thread;
    use std::time::Instant;

    use zccache_ipc::model::Response;
    use zccache_ipc::wire_dispatch::mismatch;
    use zccache_ipc::wire_frame::Version;
    use zccache_ipc::wire_v15;

    use super::*;

    const PING: &str = "15000000100000000a00a2060c636f6e74726f6c2d70696e67";
    const SHUTDOWN: &str = "080000000f00000001000000";
    const SHUTTING_DOWN: &str = "080000000f00000001000000";

    fn refusal() -> Vec<u8> {
        let text = mismatch::refusal_text("1.11.21", Version::V15, "v16");
        wire_v15::encode(&Response::error(text)).unwrap().to_vec()
    }

    #[test]
    fn a_daemon_without_a_lifetime_lock_is_waited_for_by_its_lock_file() {
        let _watchdog = watchdog(SOON);
        let place = TempEndpoint::new();
        let at = locations(&place);
        let lock_file = at.lock_file().to_owned();
        std::fs::write(&lock_file, std::process::id().to_string()).unwrap();
        let listener = UnixListener::bind(at.endpoint().as_str()).unwrap();
        let daemon = thread::spawn(move || {
            loop {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 64];
                let length = stream.read(&mut request).unwrap();
                match hex::encode(&request[..length]).as_str() {
                    // One look comes first, to see who listens.
                    "" => {}
                    // Then something harmless, to learn what is spoken.
                    PING => stream.write_all(&refusal()).unwrap(),
                    SHUTDOWN => {
                        stream.write_all(&hex::decode(SHUTTING_DOWN).unwrap()).unwrap();
                        break;
                    }
                    other => panic!("{other}"),
                }
            }
            drop(listener);
            thread::sleep(Duration::from_millis(300)); // a daemon that is slow to end
            std::fs::remove_file(&lock_file).unwrap();
            Instant::now()
        });
        let stopped = support::json(&place, &["stop"]);
        let ended = Instant::now();
        assert_eq!(stopped, (0, json!({ "result": "stopped", "pid": std::process::id() })));
        assert!(daemon.join().unwrap() <= ended, "stop waited for the lock file");
    }
}

#[test]
fn a_process_that_keeps_the_lock_is_reported_when_the_limit_is_over() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    // It holds the lock of the daemon's files, and does not listen where the daemon should.
    let elsewhere = Endpoint::from(place.name());
    let lock_file = locations(&place).lock_file().to_owned();
    let _claim = Claim::take(&elsewhere, &lock_file, DirPolicy::Dedicated).unwrap();
    let (code, error) = support::json(&place, &["--timeout", "0.3", "stop"]);
    assert_eq!((code, error["error"]["kind"].as_str()), (4, Some("timeout")), "{error}");
    let message = error["error"]["message"].as_str().unwrap();
    assert!(message.contains(&format!("(pid {})", std::process::id())), "{message}");
}
