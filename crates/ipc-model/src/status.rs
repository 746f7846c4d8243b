//! Figures of a daemon and of a session.

use std::collections::BTreeMap;

use crate::NormalizedPath;

/// Named counters. The names are an open set: each release has its own.
pub type Counters = BTreeMap<String, u64>;

/// What a daemon says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DaemonStatus {
    /// Its release, `major.minor.patch`.
    pub version: String,
    /// The label of its namespace, `default` where there is none.
    pub daemon_namespace: String,
    /// Where it listens.
    pub endpoint: String,
    /// Whose daemon it is.
    pub private_daemon: PrivateDaemonStatus,
    /// Cached artifacts.
    pub artifact_count: u64,
    /// Bytes that they take on disk.
    pub cache_size_bytes: u64,
    /// Cached metadata entries.
    pub metadata_entries: u64,
    /// Seconds since the daemon started.
    pub uptime_secs: u64,
    /// Results that came from the cache.
    pub cache_hits: u64,
    /// Results that did not.
    pub cache_misses: u64,
    /// Compilations asked for.
    pub total_compilations: u64,
    /// Compilations that cannot be cached.
    pub non_cacheable: u64,
    /// Compilations that failed.
    pub compile_errors: u64,
    /// Failures that came from the cache.
    pub compile_errors_cached: u64,
    /// Milliseconds of compiling that hits saved.
    pub time_saved_ms: u64,
    /// Link steps asked for.
    pub total_links: u64,
    /// Link steps that came from the cache.
    pub link_hits: u64,
    /// Link steps that did not.
    pub link_misses: u64,
    /// Link steps that cannot be cached.
    pub link_non_cacheable: u64,
    /// Contexts in the dependency graph.
    pub dep_graph_contexts: u64,
    /// Files in the dependency graph.
    pub dep_graph_files: u64,
    /// Sessions since the daemon started.
    pub sessions_total: u64,
    /// Sessions that are open.
    pub sessions_active: u64,
    /// The root of what it keeps on disk.
    pub cache_dir: NormalizedPath,
    /// The format of the dependency graph.
    pub dep_graph_version: u32,
    /// Bytes that the dependency graph takes on disk.
    pub dep_graph_disk_size: u64,
    /// Whether the dependency graph is on disk.
    pub dep_graph_persisted: bool,
    /// Whether the file watcher works; also false where the daemon's release does not report it.
    pub watcher_active: bool,
    /// Times that the file watcher failed over to polling.
    pub watcher_degradations: u64,
    /// Whether the writer of the index has ended before the daemon.
    pub index_writer_gone: bool,
}

/// Whose daemon it is; of a shared daemon, all empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrivateDaemonStatus {
    /// Whether it is private.
    pub enabled: bool,
    /// The processes that it lives for.
    pub owners: Vec<PrivateDaemonOwnerStatus>,
    /// The names of the variables that its sessions override.
    pub private_env_keys: Vec<String>,
}

/// One process that a private daemon lives for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct PrivateDaemonOwnerStatus {
    /// The process.
    pub pid: u32,
    /// How many sessions name it.
    pub ref_count: u64,
}

/// The figures of one session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionStats {
    /// Milliseconds since it was opened.
    pub duration_ms: u64,
    /// Compilations asked for.
    pub compilations: u64,
    /// Results that came from the cache.
    pub hits: u64,
    /// Results that did not.
    pub misses: u64,
    /// Compilations that cannot be cached.
    pub non_cacheable: u64,
    /// Compilations that failed.
    pub errors: u64,
    /// Failures that came from the cache.
    pub errors_cached: u64,
    /// Milliseconds of compiling that hits saved.
    pub time_saved_ms: u64,
    /// Different source files.
    pub unique_sources: u64,
    /// Bytes read from the cache.
    pub bytes_read: u64,
    /// Bytes written to the cache.
    pub bytes_written: u64,
    /// How lookups ended; `None` where the daemon's release does not count them.
    pub lookup_outcomes: Option<LookupOutcomes>,
    /// Where the time went, where the session asked for it.
    pub phase_profile: Option<PhaseProfileSummary>,
}

/// How the lookups of a session ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LookupOutcomes {
    /// The dependency graph and the artifact were there.
    pub depgraph_hit_artifact_hit: u64,
    /// The dependency graph was there, the artifact was not.
    pub depgraph_hit_artifact_miss: u64,
    /// The compilation was new, so the dependency graph was not asked.
    pub depgraph_cold_skip: u64,
    /// Other misses, by reason.
    pub depgraph_other_miss: Counters,
}

/// Figures of the staged store, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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

/// Where a session's time went, in nanoseconds, summed over its compilations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PhaseProfileSummary {
    /// Hits that were timed.
    pub hit_count: u64,
    /// Misses that were timed.
    pub miss_count: u64,
    /// Reading the arguments.
    pub parse_args_ns: u64,
    /// Building the compilation's context.
    pub build_context_ns: u64,
    /// Hashing the source.
    pub hash_source_ns: u64,
    /// Hashing the headers.
    pub hash_headers_ns: u64,
    /// Asking the dependency graph.
    pub depgraph_check_ns: u64,
    /// Looking up the request itself.
    pub request_cache_lookup_ns: u64,
    /// Checking a result that came from another root.
    pub cross_root_validate_ns: u64,
    /// Looking up the artifact.
    pub artifact_lookup_ns: u64,
    /// Writing the output files.
    pub write_output_ns: u64,
    /// Keeping these figures.
    pub bookkeeping_ns: u64,
    /// All of a hit.
    pub total_hit_ns: u64,
    /// Running the compiler.
    pub compiler_exec_ns: u64,
    /// Looking for includes.
    pub include_scan_ns: u64,
    /// Hashing everything that was read.
    pub hash_all_ns: u64,
    /// Storing the artifact.
    pub artifact_store_ns: u64,
    /// All of a miss.
    pub total_miss_ns: u64,
    /// Figures of the staged store; `None` where the daemon's release does not report them.
    pub staged: Option<StagedProfileSummary>,
}
