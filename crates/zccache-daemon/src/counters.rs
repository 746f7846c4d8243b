//! What the daemon has done since it started.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts that only grow.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Lookups that found something.
    pub(crate) hits: Counter,
    /// Lookups that found nothing.
    pub(crate) misses: Counter,
    /// Compilations asked for, all of them refused.
    pub(crate) compilations: Counter,
    /// Link steps asked for, all of them refused.
    pub(crate) links: Counter,
}

/// One count.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
