//! What a server counts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use wire_dispatch::Lane;

/// What a server has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerFigures {
    /// Connections accepted.
    pub connections: u64,
    /// Connections open now.
    pub open: u64,
    /// Requests answered, on all lanes.
    pub requests: u64,
    /// Those of wire v15.
    pub requests_v15: u64,
    /// Those of wire v16.
    pub requests_v16: u64,
    /// Those in running-process frames.
    pub requests_frame_v1: u64,
    /// Frames that were no request of ours.
    pub refused: u64,
    /// Connections and frames turned away because a bound was reached.
    pub turned_away: u64,
}

#[derive(Debug)]
pub(crate) struct Counters {
    pub(crate) connections: AtomicU64,
    pub(crate) open: AtomicU64,
    requests: [AtomicU64; Lane::ALL.len()],
    pub(crate) refused: AtomicU64,
    pub(crate) turned_away: AtomicU64,
    pub(crate) in_flight: AtomicU64,
    began: Instant,
    /// Milliseconds after which something was last asked for.
    last_request: AtomicU64,
}

impl Counters {
    pub(crate) fn new() -> Self {
        Self {
            connections: AtomicU64::new(0),
            open: AtomicU64::new(0),
            requests: [const { AtomicU64::new(0) }; Lane::ALL.len()],
            refused: AtomicU64::new(0),
            turned_away: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
            began: Instant::now(),
            last_request: AtomicU64::new(0),
        }
    }

    /// When counting began.
    pub(crate) const fn began(&self) -> Instant {
        self.began
    }

    pub(crate) fn figures(&self) -> ServerFigures {
        let [requests_v15, requests_v16, requests_frame_v1] =
            Lane::ALL.map(|lane| self.requests[lane as usize].load(Ordering::Relaxed));
        ServerFigures {
            connections: self.connections.load(Ordering::Relaxed),
            open: self.open.load(Ordering::Relaxed),
            requests: requests_v15 + requests_v16 + requests_frame_v1,
            requests_v15,
            requests_v16,
            requests_frame_v1,
            refused: self.refused.load(Ordering::Relaxed),
            turned_away: self.turned_away.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn answered(&self, lane: Lane) {
        Self::count(&self.requests[lane as usize]);
    }

    /// Counts a request as being answered until the guard is dropped.
    pub(crate) fn answering(&self) -> Answering<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Answering(self)
    }

    /// How long nothing has been asked for; zero while something is being answered.
    pub(crate) fn idle_for(&self) -> Duration {
        if self.in_flight.load(Ordering::Relaxed) > 0 {
            return Duration::ZERO;
        }
        let last = Duration::from_millis(self.last_request.load(Ordering::Relaxed));
        self.began.elapsed().saturating_sub(last)
    }
}

/// A request that is being answered.
pub(crate) struct Answering<'a>(&'a Counters);

impl Answering<'_> {
    /// It is answered; tells the milliseconds since counting began, for who needs the time as well.
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

/// Whole milliseconds; beyond all time is the last one.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        self.end_now();
    }
}
