//! A thread that enforces the limit of a drain.

use std::sync::mpsc;
use std::time::Duration;

use super::DrainPolicy;

/// Time after the drain's limit in which a healthy runtime ends the drain.
const GRACE: Duration = Duration::from_secs(1);

/// Calls the policy's `on_overrun` unless it is dropped before the limit.
pub(super) struct Watchdog {
    _alive: Option<mpsc::Sender<()>>,
}

impl Watchdog {
    /// Starts the watchdog on a thread outside of the runtime, which may be stuck.
    pub(super) fn start(policy: &DrainPolicy) -> Self {
        let Some(on_overrun) = policy.on_overrun.clone() else { return Self { _alive: None } };
        let (alive, ended) = mpsc::channel();
        let limit = policy.limit.saturating_add(GRACE);
        let thread = std::thread::Builder::new().name("drain-watchdog".to_owned()).spawn(move || {
            if ended.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout) {
                on_overrun();
            }
        });
        if let Err(error) = thread {
            tracing::warn!(%error, "the drain runs without a watchdog");
        }
        Self { _alive: Some(alive) }
    }
}
