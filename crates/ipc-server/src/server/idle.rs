//! Which connections are idle, so that one can give its place to another.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use super::figures::millis;
use crate::ConnectionId;

/// Milliseconds after which a connection that has said nothing yet counts as idle.
const SILENT: u64 = 1000;

/// The connections that have a place.
#[derive(Debug)]
pub(super) struct Places {
    began: Instant,
    taken: Mutex<HashMap<ConnectionId, Arc<Place>>>,
}

/// What is known of one connection that has a place.
#[derive(Debug, Default)]
struct Place {
    /// Milliseconds after which it became idle, from 1 on; 0 while it is not.
    idle_since: AtomicU64,
    /// Whether it should leave, so that it can look without waiting.
    asked: AtomicBool,
    leave: Notify,
}

impl Places {
    /// Counts the time from when it `began`.
    pub(super) fn new(began: Instant) -> Self {
        Self { began, taken: Mutex::default() }
    }

    /// Counts a connection in, as one that has something to do.
    pub(super) fn take(&self, id: ConnectionId) -> Taken<'_> {
        let place = Arc::new(Place::default());
        self.taken().insert(id, Arc::clone(&place));
        Taken { places: self, id, place }
    }

    /// Milliseconds since it began.
    pub(super) fn now(&self) -> u64 {
        millis(self.began.elapsed())
    }

    /// Asks the connection that has been idle longest to leave; tells whether there was one.
    pub(super) fn evict(&self) -> bool {
        let now = since(self.now());
        let taken = self.taken();
        let idle = taken.values().filter_map(|place| match place.idle_since.load(Ordering::Acquire) {
            since if (1..=now).contains(&since) => Some((since, place)),
            _ => None,
        });
        let Some((_, longest)) = idle.min_by_key(|(since, _)| *since) else { return false };
        // So that the next one who needs a place asks another.
        longest.idle_since.store(0, Ordering::Release);
        longest.asked.store(true, Ordering::Release);
        longest.leave.notify_one();
        true
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<ConnectionId, Arc<Place>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What stands for so many milliseconds where 0 is never.
const fn since(millis: u64) -> u64 {
    millis.saturating_add(1)
}

/// The place of a connection, until it is dropped.
#[derive(Debug)]
pub(super) struct Taken<'a> {
    places: &'a Places,
    id: ConnectionId,
    place: Arc<Place>,
}

impl Taken<'_> {
    /// Notes that the connection is new, and has a little time before it counts as idle.
    pub(super) fn begin(&self) {
        self.idle_from(since(self.places.now()).saturating_add(SILENT));
    }

    /// Notes that the connection has nothing to do from `now` on, in milliseconds.
    pub(super) fn rest(&self, now: u64) {
        self.idle_from(since(now));
    }

    /// Notes that the connection has something to do.
    pub(super) fn work(&self) {
        self.idle_from(0);
    }

    /// Whether the connection should leave.
    pub(super) fn is_asked_to_leave(&self) -> bool {
        self.place.asked.load(Ordering::Acquire)
    }

    /// Returns when the connection should leave.
    pub(super) fn asked_to_leave(&self) -> impl Future<Output = ()> + use<> {
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
