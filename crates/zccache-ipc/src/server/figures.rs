//! What a server counts.

use std::sync::Mutex;
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
    last_request: Mutex<Instant>,
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
            last_request: Mutex::new(Instant::now()),
        }
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
        self.last_request.lock().map_or(Duration::ZERO, |last| last.elapsed())
    }
}

/// A request that is being answered.
pub(crate) struct Answering<'a>(&'a Counters);

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        if let Ok(mut last) = self.0.last_request.lock() {
            *last = Instant::now();
        }
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
