//! A watchdog that fails a hanging test under every test runner.

use std::io::Write as _;
use std::panic::Location;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A running watchdog. A drop stops it.
#[derive(Debug)]
#[must_use = "the watchdog is called off when this is dropped: bind it to a name"]
pub struct Watchdog {
    alive: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Starts a watchdog that aborts the process after `limit`, unless it is dropped.
///
/// On Windows the limit is four times as long, because Wine takes most of a second to start a program.
///
/// The abort names the test by the calling thread, so call it from the test itself:
///
/// ```
/// use std::time::Duration;
/// let _watchdog = testkit::watchdog(Duration::from_secs(30));
/// ```
///
/// # Panics
///
/// If no thread can be started.
#[track_caller]
pub fn watchdog(limit: Duration) -> Watchdog {
    let limit = if cfg!(windows) { 4 * limit } else { limit };
    let message = message(thread::current().name(), Location::caller(), limit);
    let (alive, dropped) = mpsc::channel::<()>();
    let watch = move || {
        if dropped.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
            // Test runners capture `eprintln!`, and an abort loses the captured text.
            let _ = std::io::stderr().write_all(message.as_bytes());
            std::process::abort();
        }
    };
    let thread = thread::Builder::new().name("watchdog".to_owned()).spawn(watch);
    let thread = thread.expect("a test machine has a thread to spare");
    Watchdog { alive: Some(alive), thread: Some(thread) }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.alive.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // it cannot panic, and a test leaves no thread behind
        }
    }
}

fn message(thread: Option<&str>, place: &Location<'_>, limit: Duration) -> String {
    let test = thread.unwrap_or("a thread without a name");
    format!("\nwatchdog: {test} did not end within {limit:?}; the watchdog was set at {place}\n")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::Process;

    /// Variable that is set in the child that aborts.
    const VICTIM: &str = "TESTKIT_WATCHDOG_VICTIM";

    #[test]
    fn a_test_that_ends_in_time_is_left_alone() {
        let _watchdog = watchdog(Duration::from_secs(60));
    }

    #[test]
    fn a_hanging_test_is_aborted_by_name() {
        if std::env::var_os(VICTIM).is_some() {
            let _watchdog = watchdog(Duration::from_millis(20));
            loop {
                thread::park();
            }
        }
        let name = "watchdog::tests::a_hanging_test_is_aborted_by_name";
        let mut again = Command::new(std::env::current_exe().unwrap());
        let again = Process::spawn(again.args(["--exact", name, "--test-threads=2"]).env(VICTIM, "1"));
        let finished = again.finish(Duration::from_secs(60));
        assert!(!finished.status.success());
        let limit = if cfg!(windows) { 80 } else { 20 };
        let expected = format!("watchdog: {name} did not end within {limit}ms");
        assert!(finished.stderr.contains(&expected), "{finished:?}");
    }
}
