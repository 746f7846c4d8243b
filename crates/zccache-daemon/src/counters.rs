//! What the daemon has done since it started.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts that only grow.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Lookups, and compilations by the daemon, that found something.
    pub(crate) hits: Counter,
    /// Lookups, and compilations by the daemon, that found nothing.
    pub(crate) misses: Counter,
    /// Hits and misses that clients report, which run compilers themselves.
    pub(crate) lookups: Counter,
    /// The hits among them.
    pub(crate) lookup_hits: Counter,
    /// Lookups of artifacts that found something.
    pub(crate) artifact_hits: Counter,
    /// Lookups of artifacts that found nothing.
    pub(crate) artifact_misses: Counter,
    /// Tools and probes of other clients that found something.
    pub(crate) exec_hits: Counter,
    /// Tools and probes of other clients that found nothing.
    pub(crate) exec_misses: Counter,
    /// Compilations asked for.
    pub(crate) compilations: Counter,
    /// Compilations that are not cached, whatever they come to.
    pub(crate) non_cacheable: Counter,
    /// Compilations that failed.
    pub(crate) compile_errors: Counter,
    /// Milliseconds of compiling that hits have saved.
    pub(crate) saved_ms: Counter,
    /// Link steps asked for.
    pub(crate) links: Counter,
    /// Link steps that are not cached.
    pub(crate) links_non_cacheable: Counter,
}

/// One count.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add_one(&self) {
        self.add(1);
    }

    pub(crate) fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
