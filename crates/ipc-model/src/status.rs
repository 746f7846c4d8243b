//! Status of a daemon and statistics of a session.

use std::collections::BTreeMap;

use crate::NormalizedPath;

/// Named counters. The set of names is open: each release has its own names.
pub type Counters = BTreeMap<String, u64>;

/// Status of a daemon.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct DaemonStatus {
    /// Release of the daemon, `major.minor.patch`.
    pub version: String,
    /// Label of the daemon's namespace; `default` without a namespace.
    pub daemon_namespace: String,
    /// Endpoint of the daemon.
    pub endpoint: String,
    /// Owners of a private daemon.
    pub private_daemon: PrivateDaemonStatus,
    /// Number of cached artifacts.
    pub artifact_count: u64,
    /// Size of the cached artifacts on disk, in bytes.
    pub cache_size_bytes: u64,
    /// Number of cached metadata entries.
    pub metadata_entries: u64,
    /// Seconds since the daemon started.
    pub uptime_secs: u64,
    /// Results that came from the cache.
    pub cache_hits: u64,
    /// Results that did not come from the cache.
    pub cache_misses: u64,
    /// Requested compilations.
    pub total_compilations: u64,
    /// Compilations that cannot be cached.
    pub non_cacheable: u64,
    /// Compilations that failed.
    pub compile_errors: u64,
    /// Failed compilations whose result came from the cache.
    pub compile_errors_cached: u64,
    /// Compile time saved by cache hits, in milliseconds.
    pub time_saved_ms: u64,
    /// Requested link steps.
    pub total_links: u64,
    /// Link steps that came from the cache.
    pub link_hits: u64,
    /// Link steps that did not come from the cache.
    pub link_misses: u64,
    /// Link steps that cannot be cached.
    pub link_non_cacheable: u64,
    /// Number of contexts in the dependency graph.
    pub dep_graph_contexts: u64,
    /// Number of files in the dependency graph.
    pub dep_graph_files: u64,
    /// Number of sessions since the daemon started.
    pub sessions_total: u64,
    /// Number of open sessions.
    pub sessions_active: u64,
    /// Root of the daemon's cache directory.
    pub cache_dir: NormalizedPath,
    /// Format version of the dependency graph.
    pub dep_graph_version: u32,
    /// Size of the dependency graph on disk, in bytes.
    pub dep_graph_disk_size: u64,
    /// True if the dependency graph is on disk.
    pub dep_graph_persisted: bool,
    /// True if the file watcher works.
    ///
    /// Also false if the daemon's release does not report it.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "crate::form::is_unset"))]
    pub watcher_active: bool,
    /// Number of times that the file watcher fell back to polling.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "crate::form::is_unset"))]
    pub watcher_degradations: u64,
    /// True if the writer of the index ended before the daemon.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "crate::form::is_unset"))]
    pub index_writer_gone: bool,
}

/// Owners of a private daemon; all fields of a shared daemon are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct PrivateDaemonStatus {
    /// True if the daemon is private.
    pub enabled: bool,
    /// Processes that own the daemon.
    pub owners: Vec<PrivateDaemonOwnerStatus>,
    /// Names of the variables that the daemon's sessions override.
    pub private_env_keys: Vec<String>,
}

impl PrivateDaemonStatus {
    /// Returns the status of a shared daemon.
    #[must_use]
    pub fn shared() -> Self {
        Self::default()
    }
}

/// One process that owns a private daemon.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct PrivateDaemonOwnerStatus {
    /// Process id.
    pub pid: u32,
    /// Number of sessions that name the process.
    pub ref_count: u64,
}

/// Statistics of one session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct SessionStats {
    /// Milliseconds since the session was opened.
    pub duration_ms: u64,
    /// Requested compilations.
    pub compilations: u64,
    /// Results that came from the cache.
    pub hits: u64,
    /// Results that did not come from the cache.
    pub misses: u64,
    /// Compilations that cannot be cached.
    pub non_cacheable: u64,
    /// Compilations that failed.
    pub errors: u64,
    /// Failed compilations whose result came from the cache.
    pub errors_cached: u64,
    /// Compile time saved by cache hits, in milliseconds.
    pub time_saved_ms: u64,
    /// Number of distinct source files.
    pub unique_sources: u64,
    /// Bytes read from the cache.
    pub bytes_read: u64,
    /// Bytes written to the cache.
    pub bytes_written: u64,
    /// Outcomes of lookups; `None` if the daemon's release does not count them.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "crate::form::is_unset"))]
    pub lookup_outcomes: Option<LookupOutcomes>,
    /// Time of each phase, if the session asked for it.
    pub phase_profile: Option<PhaseProfileSummary>,
}

/// Outcomes of a session's lookups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct LookupOutcomes {
    /// The dependency graph knew the compilation and the artifact was cached.
    pub depgraph_hit_artifact_hit: u64,
    /// The dependency graph knew the compilation, but the artifact was not cached.
    pub depgraph_hit_artifact_miss: u64,
    /// The compilation was new, so the daemon did not query the dependency graph.
    pub depgraph_cold_skip: u64,
    /// Other misses, by reason.
    pub depgraph_other_miss: Counters,
}

/// Statistics of the staged store, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct StagedProfileSummary {
    /// Counts.
    pub counters: Counters,
    /// Times, in nanoseconds.
    pub timings_ns: Counters,
    /// Byte totals.
    pub bytes: Counters,
    /// Failures, by reason.
    pub failures: Counters,
}

/// Time of each phase in nanoseconds, summed over a session's compilations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct PhaseProfileSummary {
    /// Number of measured hits.
    pub hit_count: u64,
    /// Number of measured misses.
    pub miss_count: u64,
    /// Parsing the arguments.
    pub parse_args_ns: u64,
    /// Building the compilation's context.
    pub build_context_ns: u64,
    /// Hashing the source.
    pub hash_source_ns: u64,
    /// Hashing the headers.
    pub hash_headers_ns: u64,
    /// Querying the dependency graph.
    pub depgraph_check_ns: u64,
    /// Looking up the whole request.
    pub request_cache_lookup_ns: u64,
    /// Validating a result from another root.
    pub cross_root_validate_ns: u64,
    /// Looking up the artifact.
    pub artifact_lookup_ns: u64,
    /// Writing the output files.
    pub write_output_ns: u64,
    /// Recording statistics.
    pub bookkeeping_ns: u64,
    /// Total time of hits.
    pub total_hit_ns: u64,
    /// Running the compiler.
    pub compiler_exec_ns: u64,
    /// Scanning for includes.
    pub include_scan_ns: u64,
    /// Hashing all files that the compiler read.
    pub hash_all_ns: u64,
    /// Storing the artifact.
    pub artifact_store_ns: u64,
    /// Total time of misses.
    pub total_miss_ns: u64,
    /// Statistics of the staged store; `None` if the release does not report them.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "crate::form::is_unset"))]
    pub staged: Option<StagedProfileSummary>,
}
