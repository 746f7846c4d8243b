//! Idle connections, which a server evicts when a new connection needs a place.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use super::figures::millis;
use crate::ConnectionId;

/// Milliseconds after which a new and silent connection counts as idle.
const SILENT: u64 = 1000;

/// Connections that have a place.
#[derive(Debug)]
pub(super) struct Places {
    began: Instant,
    taken: Mutex<HashMap<ConnectionId, Arc<Place>>>,
}

/// One connection that has a place.
#[derive(Debug, Default)]
struct Place {
    /// Milliseconds since start plus 1 when the connection became idle; 0 means not idle.
    idle_since: AtomicU64,
    /// True if the connection should leave; readable without a wait.
    is_evicted: AtomicBool,
    leave: Notify,
}

impl Places {
    /// Measures time from `began`.
    pub(super) fn new(began: Instant) -> Self {
        Self { began, taken: Mutex::default() }
    }

    /// Adds a busy connection.
    pub(super) fn take(&self, id: ConnectionId) -> Taken<'_> {
        let place = Arc::new(Place::default());
        self.taken().insert(id, Arc::clone(&place));
        Taken { places: self, id, place }
    }

    /// Returns the milliseconds since `began`.
    pub(super) fn now(&self) -> u64 {
        millis(self.began.elapsed())
    }

    /// Asks the connection that has been idle longest to leave; returns false if no connection is idle.
    pub(super) fn evict(&self) -> bool {
        let now = since(self.now());
        let taken = self.taken();
        let idle = taken.values().filter_map(|place| match place.idle_since.load(Ordering::Acquire) {
            since if (1..=now).contains(&since) => Some((since, place)),
            _ => None,
        });
        let Some((_, longest)) = idle.min_by_key(|(since, _)| *since) else { return false };
        // The next eviction then picks another connection.
        longest.idle_since.store(0, Ordering::Release);
        longest.is_evicted.store(true, Ordering::Release);
        longest.leave.notify_one();
        true
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<ConnectionId, Arc<Place>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Milliseconds since start, plus 1; 0 means never.
const fn since(millis: u64) -> u64 {
    millis.saturating_add(1)
}

/// The place of a connection; dropping it frees the place.
#[derive(Debug)]
pub(super) struct Taken<'a> {
    places: &'a Places,
    id: ConnectionId,
    place: Arc<Place>,
}

impl Taken<'_> {
    /// Marks the connection as new: it counts as idle after [`SILENT`].
    pub(super) fn begin(&self) {
        self.idle_from(since(self.places.now()).saturating_add(SILENT));
    }

    /// Marks the connection as idle from `now` on, in milliseconds.
    pub(super) fn rest(&self, now: u64) {
        self.idle_from(since(now));
    }

    /// Marks the connection as busy.
    pub(super) fn work(&self) {
        self.idle_from(0);
    }

    /// Returns true if the connection should leave.
    pub(super) fn is_evicted(&self) -> bool {
        self.place.is_evicted.load(Ordering::Acquire)
    }

    /// Waits until the connection should leave.
    pub(super) fn evicted(&self) -> impl Future<Output = ()> + use<> {
        let place = Arc::clone(&self.place);
        async move { place.leave.notified().await }
    }

    fn idle_from(&self, since: u64) {
        self.place.idle_since.store(since, Ordering::Release);
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.places.taken().remove(&self.id);
    }
}
