//! `ExecProbe` and `ExecStore`, and the figures of compilations that clients run themselves.
//!
//! Names of probes that begin with `zccache-wrap ` are reports of `zccache-ipc wrap`, and no lookups.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};
use zccache_ipc::Caller;
use zccache_ipc::model::{
    ExecProbe, ExecProbeResult, ExecStore, ExecStoreAck, PhaseProfileSummary, Response,
};

use super::refusal;
use crate::compile::Outcome;
use crate::counters::Counters;
use crate::sessions::{Compilation, SessionError, Sessions};
use crate::shelf::{Shelf, ShelfError};
use crate::store::Store;

/// Names of probes by which clients report.
const UNCACHED: &str = "zccache-wrap uncached 1";
const SESSION: &str = "zccache-wrap session 1";
const MISS: &str = "zccache-wrap miss 1";
const HIT: &str = "zccache-wrap hit 1";

/// Beginning of the names of probes that are steps of one compilation, which its client reports as a whole.
const STEP: &str = "run-cache ";

/// The most reasons that are counted apart, and the most bytes of one.
const MOST_REASONS: usize = 64;
const LONGEST_REASON: usize = 40;

/// The most milliseconds that one hit saves: one day.
const MOST_SAVED_MS: u64 = 86_400_000;

/// The most unknown sessions that are remembered; the next one begins anew.
const MOST_UNKNOWN: usize = 256;

/// Results that clients keep, and what their compilations came to.
#[derive(Debug)]
pub(super) struct Shelves {
    shelf: Shelf,
    sessions: Arc<Sessions>,
    counters: Arc<Counters>,
    reports: Mutex<Reports>,
}

#[derive(Debug, Default)]
struct Reports {
    /// Calls that were executed, by reason.
    uncached: Reasons,
    /// Misses, by reason.
    misses: Reasons,
    /// Results that were not kept, by reason.
    not_kept: Reasons,
    /// Hashes of unknown session ids that the daemon has reported to one client; an id can be of any length.
    unknown: HashSet<blake3::Hash>,
}

/// Counts by reason.
#[derive(Debug, Default)]
struct Reasons(BTreeMap<String, u64>);

impl Reasons {
    /// Counts a reason that is a plain word; a client may send anything else, which counts nowhere.
    fn count(&mut self, reason: &[u8]) {
        let is_word = |byte: &u8| byte.is_ascii_lowercase() || *byte == b'_';
        if reason.is_empty() || reason.len() > LONGEST_REASON || !reason.iter().all(is_word) {
            return;
        }
        let reason = String::from_utf8_lossy(reason).into_owned();
        if self.0.len() < MOST_REASONS || self.0.contains_key(&reason) {
            *self.0.entry(reason).or_default() += 1;
        }
    }
}

impl Shelves {
    pub(super) fn new(store: Arc<Store>, sessions: Arc<Sessions>, counters: Arc<Counters>) -> Self {
        Self { shelf: Shelf::new(store), sessions, counters, reports: Mutex::default() }
    }

    pub(super) async fn probe(&self, probe: ExecProbe, caller: Option<&Caller>) -> Response {
        let report = match probe.name.as_str() {
            UNCACHED => Some(self.uncached(&probe.input_extra)),
            SESSION => Some(self.session(&probe.input_extra)),
            MISS => Some(self.miss(&probe.input_extra)),
            HIT => Some(self.hit(&probe.input_extra)),
            _ => None,
        };
        if let Some(cached_bytes) = report {
            // Nothing is kept under the name of a report.
            let cache_key_hex = Shelf::key_of(&probe);
            return Response::ExecProbeResult(ExecProbeResult { cache_key_hex, cached_bytes });
        }
        let is_other = !probe.name.starts_with(STEP);
        let probed = match self.shelf.probe(probe, caller).await {
            Ok(probed) => probed,
            Err(error) => return refused(&error),
        };
        if is_other {
            if probed.result.is_some() { &self.counters.hits } else { &self.counters.misses }.add_one();
            if probed.result.is_some() { &self.counters.exec_hits } else { &self.counters.exec_misses }
                .add_one();
        }
        Response::ExecProbeResult(ExecProbeResult { cache_key_hex: probed.key, cached_bytes: probed.result })
    }

    pub(super) async fn keep(&self, store: ExecStore) -> Response {
        match self.shelf.keep(store).await {
            Ok(()) => Response::ExecStoreAck(ExecStoreAck { stored: true }),
            Err(error) => refused(&error),
        }
    }

    /// Counts a compilation that a client executed without looking.
    fn uncached(&self, reason: &Bytes) -> Option<Bytes> {
        self.counters.compilations.add_one();
        self.counters.non_cacheable.add_one();
        self.reports().uncached.count(reason);
        None
    }

    /// Counts a compilation whose result was found.
    fn hit(&self, report: &Bytes) -> Option<Bytes> {
        self.counters.compilations.add_one();
        self.counters.lookups.add_one();
        self.counters.lookup_hits.add_one();
        let report: Value = serde_json::from_slice(report).ok()?;
        self.counters.saved_ms.add(report["saved_ms"].as_u64().unwrap_or_default().min(MOST_SAVED_MS));
        None
    }

    /// Counts why a compilation was a miss, and why its result was not kept. One that failed is an error.
    fn miss(&self, report: &Bytes) -> Option<Bytes> {
        let report: Value = serde_json::from_slice(report).ok()?;
        let word = |name: &str| report[name].as_str().unwrap_or_default().as_bytes();
        self.counters.compilations.add_one();
        if word("not_kept") == b"failed" {
            self.counters.compile_errors.add_one();
            return None;
        }
        self.counters.lookups.add_one();
        let mut reports = self.reports();
        reports.misses.count(word("reason"));
        reports.not_kept.count(word("not_kept"));
        None
    }

    /// Counts a compilation in the session that its client names; returns a warning for the client, once.
    fn session(&self, report: &Bytes) -> Option<Bytes> {
        let report: Value = serde_json::from_slice(report).ok()?;
        let text = |name: &str| report[name].as_str().unwrap_or_default();
        let id = text("session");
        // Figures are kept by open sessions only.
        if let Err(error @ (SessionError::Unknown(_) | SessionError::Invalid(_))) = self.sessions.stats(id) {
            let mut reports = self.reports();
            if reports.unknown.len() >= MOST_UNKNOWN {
                reports.unknown.clear();
            }
            let is_first = reports.unknown.insert(blake3::hash(id.as_bytes()));
            return is_first.then(|| Bytes::from(format!("{error}; compilations count in no session")));
        }
        let args: Vec<String> = report["args"]
            .as_array()
            .map(|args| args.iter().filter_map(|arg| arg.as_str().map(str::to_owned)).collect())
            .unwrap_or_default();
        let number = |name: &str| report[name].as_u64().unwrap_or_default();
        let source = report["source"].as_str().map(Path::new);
        let event = Compilation {
            compiler: Path::new(text("compiler")),
            args: &args,
            cwd: Path::new(text("cwd")),
            source,
            outcome: match text("outcome") {
                "hit" => Outcome::Hit,
                "miss" => Outcome::Miss,
                "error" => Outcome::Failed,
                _ => Outcome::NotCacheable,
            },
            exit_code: report["exit_code"].as_i64().and_then(|code| i32::try_from(code).ok()).unwrap_or(0),
            bytes_read: number("bytes_read"),
            bytes_written: number("bytes_written"),
            saved: Duration::from_millis(number("saved_ms")),
            phases: PhaseProfileSummary::default(),
        };
        let took = report["compile_ms"].as_f64().unwrap_or_default().clamp(0.0, 1e9);
        let began = Instant::now();
        self.sessions.count_compilation(id, &event, Duration::from_secs_f64(took / 1e3) + began.elapsed());
        None
    }

    /// Returns hits and misses of compilations, lookups and tools apart, and the counts by reason.
    pub(super) fn figures(&self) -> Value {
        let counters = &self.counters;
        let (lookups, found) = (counters.lookups.value(), counters.lookup_hits.value());
        let exec = (counters.exec_hits.value(), counters.exec_misses.value());
        let artifacts = (counters.artifact_hits.value(), counters.artifact_misses.value());
        // The totals have what the daemon itself compiled, too.
        let hits = counters.hits.value().saturating_sub(exec.0 + artifacts.0) + found;
        let misses =
            counters.misses.value().saturating_sub(exec.1 + artifacts.1) + lookups.saturating_sub(found);
        let reports = self.reports();
        json!({
            "compile": {
                "hits": hits,
                "misses": misses,
                "not_cached": counters.non_cacheable.value(),
                "errors": counters.compile_errors.value(),
                "saved_ms": counters.saved_ms.value(),
                "misses_by_reason": reports.misses.0,
                "not_kept_by_reason": reports.not_kept.0,
                "not_cached_by_reason": reports.uncached.0,
            },
            "lookup": { "hits": artifacts.0, "misses": artifacts.1 },
            "exec": { "hits": exec.0, "misses": exec.1 },
        })
    }

    fn reports(&self) -> MutexGuard<'_, Reports> {
        // Nothing panics between two changes that belong together.
        self.reports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refused(error: &ShelfError) -> Response {
    match error {
        ShelfError::Store(error) => refusal::by_store(error),
        error => Response::error(error.to_string()),
    }
}
