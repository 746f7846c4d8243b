//! Refused versions in the lifecycle log.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use zccache_ipc::Wires;
use zccache_ipc::wire_frame::Version;

use crate::lifecycle::{Event, LifecycleLog};

/// One event in so much time: a client of another release asks again and again.
const PAUSE: Duration = Duration::from_secs(1);

/// Records the versions that clients are refused for.
#[derive(Debug)]
pub struct Mismatches {
    log: LifecycleLog,
    release: String,
    newest: Version,
    last: Mutex<Option<Instant>>,
}

impl Mismatches {
    /// Records to `log` for a daemon that announces `release` and speaks `wires`.
    #[must_use]
    pub fn new(log: LifecycleLog, release: impl Into<String>, wires: Wires) -> Self {
        Self { log, release: release.into(), newest: wires.newest(), last: Mutex::new(None) }
    }

    /// Records that a client spoke `received`, unless another one has just done the like.
    pub(crate) fn record(&self, received: Version) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| last.elapsed() < PAUSE) {
            return;
        }
        *last = Some(Instant::now());
        drop(last);
        let (log, release, ours) = (self.log.clone(), self.release.clone(), self.newest.0);
        let event = Event::VersionMismatch { received: received.0, ours, release };
        // The server waits for its service here, and not for a disk.
        tokio::task::spawn_blocking(move || log.record(&event));
    }
}
