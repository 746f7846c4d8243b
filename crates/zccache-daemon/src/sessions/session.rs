//! One open session and its figures.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use uuid::Uuid;
use zccache_ipc::model::{
    EnvVars, LookupOutcomes, NormalizedPath, PhaseProfileSummary, SessionStart, SessionStats,
    StagedProfileSummary,
};

use super::Compilation;
use super::compilation::Sources;

/// Something that happened and counts in sessions.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A lookup was answered.
    Lookup {
        /// The key.
        key: &'a str,
        /// Bytes of contents of the artifact that was found, if one was.
        hit: Option<u64>,
    },
    /// A store was answered.
    Store {
        /// The key.
        key: &'a str,
        /// Bytes of contents of the artifact, unless it was there before.
        stored: Option<u64>,
    },
    /// A compilation is done.
    Compilation(&'a Compilation<'a>),
}

/// A build that wants its own figures.
#[derive(Debug)]
pub(super) struct Session {
    started: Instant,
    used: Instant,
    keeps_stats: bool,
    stats: SessionStats,
    phases: PhaseProfileSummary,
    journal: Option<PathBuf>,
    log: Option<PathBuf>,
    directory: PathBuf,
    owners: Vec<u32>,
    kept: usize,
    private_env: EnvVars,
    sources: Sources,
}

impl Session {
    /// Returns how many bytes it keeps of what its client sent.
    pub(super) const fn kept(&self) -> usize {
        self.kept
    }

    /// Begins a session that keeps `kept` bytes of `start`; one of a daemon that `has_owners` has those that it names, else its client.
    pub(super) fn new(start: &SessionStart, has_owners: bool, kept: usize) -> Self {
        // The client's directory, since a relative path means nothing in the daemon's.
        let below = |path: &NormalizedPath| start.working_dir.as_path().join(path);
        let journal = start.journal_path.as_ref().map(below);
        let log = start.log_file.as_ref().map(below);
        let options = start.private_daemon.as_ref();
        let mut owners = options.map(|options| options.owner_pids.clone()).unwrap_or_default();
        if owners.is_empty() {
            owners.push(start.client_pid);
        }
        owners.sort_unstable();
        owners.dedup();
        if options.is_none() || !has_owners {
            owners.clear();
        }
        Self {
            directory: start.working_dir.as_path().to_owned(),
            kept,
            owners,
            private_env: options.map(|options| options.env.clone()).unwrap_or_default(),
            started: Instant::now(),
            used: Instant::now(),
            keeps_stats: start.track_stats,
            stats: SessionStats::default(),
            phases: PhaseProfileSummary::default(),
            journal: journal.filter(|path| path.is_absolute()),
            log: log.filter(|path| path.is_absolute()),
            sources: Sources::default(),
        }
    }

    /// Returns the figures so far, if the session asked for some.
    ///
    /// Released daemons send the phases with all of them. There is no dependency graph here: a hit counts as
    /// one of graph and artifact, and a miss as a compilation that did not ask the graph.
    pub(super) fn stats(&self) -> Option<SessionStats> {
        self.keeps_stats.then(|| SessionStats {
            duration_ms: millis(self.started.elapsed()),
            lookup_outcomes: Some(LookupOutcomes {
                depgraph_hit_artifact_hit: self.stats.hits,
                depgraph_cold_skip: self.stats.misses,
                ..LookupOutcomes::default()
            }),
            phase_profile: Some(PhaseProfileSummary {
                staged: Some(StagedProfileSummary::default()),
                ..self.phases.clone()
            }),
            ..self.stats.clone()
        })
    }

    pub(super) fn journal(&self) -> Option<&PathBuf> {
        self.journal.as_ref()
    }

    pub(super) fn log(&self) -> Option<&PathBuf> {
        self.log.as_ref()
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The processes that a private daemon lives for because of it.
    pub(super) fn owners(&self) -> &[u32] {
        &self.owners
    }

    pub(super) const fn private_env(&self) -> &EnvVars {
        &self.private_env
    }

    pub(super) fn touch(&mut self) {
        self.used = Instant::now();
    }

    pub(super) fn unused_for(&self) -> Duration {
        self.used.elapsed()
    }

    pub(super) fn count(&mut self, event: Event<'_>, took: Duration) {
        self.touch();
        let (stats, phases, took) = (&mut self.stats, &mut self.phases, nanos(took));
        match event {
            Event::Lookup { hit: Some(bytes), .. } => {
                stats.hits += 1;
                stats.bytes_read += bytes;
                phases.hit_count += 1;
                phases.artifact_lookup_ns += took;
                phases.total_hit_ns += took;
            }
            Event::Lookup { hit: None, .. } => {
                stats.misses += 1;
                phases.miss_count += 1;
                phases.artifact_lookup_ns += took;
                phases.total_miss_ns += took;
            }
            Event::Store { stored, .. } => {
                stats.bytes_written += stored.unwrap_or(0);
                phases.artifact_store_ns += took;
            }
            Event::Compilation(compilation) => {
                compilation.count(stats, phases);
                stats.unique_sources = self.sources.with(compilation.source);
            }
        }
    }
}

impl Event<'_> {
    /// Returns the line of a journal, with the keys of the released ones where they apply.
    pub(super) fn line(self, id: Uuid, took: Duration, now: SystemTime) -> String {
        let mut fields = match self {
            Self::Lookup { key, hit } => json!({
                "op": "lookup", "outcome": if hit.is_some() { "hit" } else { "miss" },
                "cache_key": key, "bytes": hit,
            }),
            Self::Store { key, stored } => json!({
                "op": "store", "outcome": if stored.is_some() { "stored" } else { "exists" },
                "cache_key": key, "bytes": stored,
            }),
            Self::Compilation(compilation) => compilation.fields(),
        };
        let common: BTreeMap<&str, Value> = BTreeMap::from([
            ("ts", humantime::format_rfc3339_millis(now).to_string().into()),
            ("session_id", id.to_string().into()),
            ("latency_ns", nanos(took).into()),
        ]);
        for (key, value) in common {
            fields[key] = value;
        }
        fields.to_string()
    }

    /// Returns the line of a log, which a person reads.
    pub(super) fn text(self, took: Duration, now: SystemTime) -> String {
        let text = match self {
            Self::Lookup { key, hit: Some(bytes) } => format!("lookup hit {key} ({bytes} bytes)"),
            Self::Lookup { key, hit: None } => format!("lookup miss {key}"),
            Self::Store { key, stored: Some(bytes) } => format!("store {key} ({bytes} bytes)"),
            Self::Store { key, stored: None } => format!("store {key}, which existed"),
            Self::Compilation(compilation) => compilation.text(),
        };
        // A line break in a key or an argument must not begin a line.
        let text = text.replace(char::is_control, " ");
        format!("{} {:>6} ms {text}", humantime::format_rfc3339_millis(now), millis(took))
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
