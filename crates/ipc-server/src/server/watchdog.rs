//! A thread that makes the bound of a drain real.

use std::sync::mpsc;
use std::time::Duration;

use super::DrainPolicy;

/// Time beyond the drain's limit that a healthy runtime needs to notice it.
const GRACE: Duration = Duration::from_secs(1);

/// Calls the policy's `on_overrun` unless it is dropped in time.
pub(super) struct Watchdog {
    _alive: Option<mpsc::Sender<()>>,
}

impl Watchdog {
    /// Starts watching, on a thread that no stuck runtime can hold up.
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
            tracing::warn!(%error, "the drain goes on without a watchdog");
        }
        Self { _alive: Some(alive) }
    }
}
