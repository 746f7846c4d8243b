//! Counters of a server.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use wire_dispatch::{Dialect, Lane};

/// Counters of a server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerFigures {
    /// Accepted connections.
    pub connections: u64,
    /// Connections that are open now.
    pub open: u64,
    /// Answered requests on all lanes.
    pub requests: u64,
    /// Answered requests on wire v15.
    pub requests_v15: u64,
    /// Answered requests on wire v16.
    pub requests_v16: u64,
    /// Answered requests in running-process frames.
    pub requests_frame_v1: u64,
    /// Answered requests by dialect, in the order of [`Dialect::ALL`].
    pub requests_by_dialect: [u64; Dialect::ALL.len()],
    /// Refused frames that were not legal requests.
    pub refused: u64,
    /// Connections and frames refused because of a limit.
    pub turned_away: u64,
}

#[derive(Debug)]
pub(crate) struct Counters {
    pub(crate) connections: AtomicU64,
    pub(crate) open: AtomicU64,
    requests: [AtomicU64; Dialect::ALL.len()],
    pub(crate) refused: AtomicU64,
    pub(crate) turned_away: AtomicU64,
    pub(crate) in_flight: AtomicU64,
    /// Compilations among them.
    pub(crate) compiling: AtomicU64,
    began: Instant,
    /// Milliseconds from `began` to the end of the last request.
    last_request: AtomicU64,
}

impl Counters {
    pub(crate) fn new() -> Self {
        Self {
            connections: AtomicU64::new(0),
            open: AtomicU64::new(0),
            requests: [const { AtomicU64::new(0) }; Dialect::ALL.len()],
            refused: AtomicU64::new(0),
            turned_away: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
            compiling: AtomicU64::new(0),
            began: Instant::now(),
            last_request: AtomicU64::new(0),
        }
    }

    /// Returns the start time of the counters.
    pub(crate) const fn began(&self) -> Instant {
        self.began
    }

    pub(crate) fn figures(&self) -> ServerFigures {
        let by_dialect = self.requests.each_ref().map(|requests| requests.load(Ordering::Relaxed));
        let on = |lane: Lane| -> u64 {
            Dialect::ALL
                .iter()
                .zip(by_dialect)
                .filter(|(of, _)| of.lane() == lane)
                .map(|(_, count)| count)
                .sum()
        };
        let [requests_v15, requests_v16, requests_frame_v1] = Lane::ALL.map(on);
        ServerFigures {
            connections: self.connections.load(Ordering::Relaxed),
            open: self.open.load(Ordering::Relaxed),
            requests: requests_v15 + requests_v16 + requests_frame_v1,
            requests_v15,
            requests_v16,
            requests_frame_v1,
            requests_by_dialect: by_dialect,
            refused: self.refused.load(Ordering::Relaxed),
            turned_away: self.turned_away.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn answered(&self, dialect: Dialect) {
        Self::count(&self.requests[dialect.index()]);
    }

    /// Counts a request as in flight until the guard is dropped.
    pub(crate) fn answering(&self) -> Answering<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Answering(self)
    }

    /// Returns the time since the last request; zero while a request is in flight.
    pub(crate) fn idle_for(&self) -> Duration {
        if self.in_flight.load(Ordering::Relaxed) > 0 {
            return Duration::ZERO;
        }
        let last = Duration::from_millis(self.last_request.load(Ordering::Relaxed));
        self.began.elapsed().saturating_sub(last)
    }
}

/// A request in flight.
pub(crate) struct Answering<'a>(&'a Counters);

impl Answering<'_> {
    /// Ends the request; returns the milliseconds since `began`, which saves a clock read.
    pub(crate) fn end(self) -> u64 {
        let now = self.end_now();
        std::mem::forget(self);
        now
    }

    fn end_now(&self) -> u64 {
        let Self(counters) = self;
        let now = millis(counters.began.elapsed());
        counters.last_request.store(now, Ordering::Relaxed);
        counters.in_flight.fetch_sub(1, Ordering::Relaxed);
        now
    }
}

/// Returns whole milliseconds; saturates at `u64::MAX`.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        self.end_now();
    }
}
