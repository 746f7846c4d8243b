//! The daemon's status and the figures in it.
//!
//! Rule: `docs/spec/messages.md#status`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use zccache_ipc::Lane;
use zccache_ipc::model::{DaemonStatus, Response};

use super::Identity;
use crate::counters::Counters;
use crate::sessions::Sessions;
use crate::store::Store;
use crate::traffic::Traffic;

/// Status, and the figures that go into it.
#[derive(Debug)]
pub(super) struct Control {
    identity: Arc<Identity>,
    store: Arc<Store>,
    sessions: Arc<Sessions>,
    counters: Arc<Counters>,
    traffic: Traffic,
    started: Instant,
}

impl Control {
    pub(super) fn new(
        identity: Arc<Identity>,
        store: Arc<Store>,
        sessions: Arc<Sessions>,
        counters: Arc<Counters>,
    ) -> Self {
        let (traffic, started) = (Traffic::default(), Instant::now());
        Self { identity, store, sessions, counters, traffic, started }
    }

    /// Which requests the servers have answered.
    pub(super) const fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Returns the time since the daemon started.
    pub(super) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    pub(super) fn status(&self) -> Response {
        self.log_requests();
        self.figures().into()
    }

    /// Returns every figure of the daemon.
    ///
    /// It keeps neither file metadata nor a dependency graph. Every compilation is one of a hit, a miss, not
    /// cacheable, or an error; no link step is cached.
    fn figures(&self) -> DaemonStatus {
        let stored = self.store.figures();
        let (sessions_total, sessions_active) = self.sessions.total_and_open();
        let hits = self.counters.lookup_hits.value();
        let misses = self.counters.lookups.value().saturating_sub(hits);
        DaemonStatus {
            version: self.identity.version.clone(),
            daemon_namespace: self.identity.namespace.clone(),
            endpoint: self.identity.endpoint.clone(),
            private_daemon: self.sessions.private_status(),
            artifact_count: stored.artifacts,
            cache_size_bytes: stored.bytes,
            metadata_entries: 0,
            uptime_secs: self.uptime().as_secs(),
            cache_hits: self.counters.hits.value() + hits,
            cache_misses: self.counters.misses.value() + misses,
            total_compilations: self.counters.compilations.value(),
            non_cacheable: self.counters.non_cacheable.value(),
            compile_errors: self.counters.compile_errors.value(),
            compile_errors_cached: 0,
            time_saved_ms: self.counters.saved_ms.value(),
            total_links: self.counters.links.value(),
            link_hits: 0,
            link_misses: 0,
            link_non_cacheable: self.counters.links_non_cacheable.value(),
            dep_graph_contexts: 0,
            dep_graph_files: 0,
            sessions_total,
            sessions_active,
            cache_dir: self.identity.cache_dir.clone(),
            dep_graph_version: 0,
            dep_graph_disk_size: 0,
            dep_graph_persisted: false,
            // It watches no files and has no index writer; clients report other values as a fault.
            watcher_active: true,
            watcher_degradations: 0,
            index_writer_gone: false,
        }
    }

    /// Logs which requests have been answered before this one: a status has no field for that.
    fn log_requests(&self) {
        if tracing::enabled!(tracing::Level::DEBUG) {
            let requests = self.traffic().requests();
            let oldest_wire = requests.oldest_wire().map(Lane::name);
            tracing::debug!(%requests, oldest_wire, "asked for the status");
        }
    }
}
