//! The nested types of `docs/spec/wire-v15.md#nested-types`, fields and variants in wire order.

use bytes::Bytes;
use ipc_model::{
    ArtifactData, ArtifactOutput, ArtifactPayload, DaemonStatus, ExecCachePolicy, ExecOutputStreams,
    LookupOutcomes, LookupResult, NotUtf8, PhaseProfileSummary, PrivateDaemonOwnerStatus,
    PrivateDaemonSessionOptions, PrivateDaemonStatus, RustArtifactInfo, SessionStats, StagedProfileSummary,
    StoreResult,
};
use serde::ser::SerializeStructVariant as _;
use serde::{Deserializer, Serializer};

use super::{Body, Out, Shape};
use crate::Generation;

record! {
    PrivateDaemonSessionOptions { daemon_name, endpoint, cache_dir, owner_pids, env }
    ArtifactData { outputs, stdout, stderr, exit_code }
    ArtifactOutput { name, payload }
    ExecOutputStreams { stdout, stderr }
    PrivateDaemonOwnerStatus { pid, ref_count }
    PrivateDaemonStatus { enabled, owners, private_env_keys }
    DaemonStatus {
        version, daemon_namespace, endpoint, private_daemon, artifact_count, cache_size_bytes, metadata_entries,
        uptime_secs, cache_hits, cache_misses, total_compilations, non_cacheable, compile_errors,
        compile_errors_cached, time_saved_ms, total_links, link_hits, link_misses, link_non_cacheable,
        dep_graph_contexts, dep_graph_files, sessions_total, sessions_active, cache_dir, dep_graph_version,
        dep_graph_disk_size, dep_graph_persisted, watcher_active (since V23), watcher_degradations (since V23),
        index_writer_gone (since V23),
    }
    SessionStats {
        duration_ms, compilations, hits, misses, non_cacheable, errors, errors_cached, time_saved_ms,
        unique_sources, bytes_read, bytes_written, lookup_outcomes (always since V17), phase_profile,
    }
    PhaseProfileSummary {
        hit_count, miss_count, parse_args_ns, build_context_ns, hash_source_ns, hash_headers_ns,
        depgraph_check_ns, request_cache_lookup_ns, cross_root_validate_ns, artifact_lookup_ns,
        write_output_ns, bookkeeping_ns, total_hit_ns, compiler_exec_ns, include_scan_ns, hash_all_ns,
        artifact_store_ns, total_miss_ns, staged (always since V18),
    }
    LookupOutcomes {
        depgraph_hit_artifact_hit, depgraph_hit_artifact_miss, depgraph_cold_skip, depgraph_other_miss,
    }
    StagedProfileSummary { counters, timings_ns, bytes, failures }
    RustArtifactInfo { cache_key, output_names, payload_count }
    Hit { artifact }
}

choice! {
    ArtifactPayload { 0 Bytes(bytes), 1 Path(path) }
    StoreResult { 0 Stored, 1 AlreadyExists }
    ExecCachePolicy { 0 Normal, 1 Bypass, 2 ReadOnly }
    LookupResultForm { 0 Hit(hit), 1 Miss }
}

/// The fields of [`LookupResult::Hit`].
struct Hit {
    artifact: Box<ArtifactData>,
}

/// [`LookupResult`] with the fields of its one struct variant in a struct, for reading.
enum LookupResultForm {
    Hit(Hit),
    Miss,
}

impl Shape for LookupResult {
    fn serialize<S: Serializer>(&self, serializer: S, generation: Generation) -> Result<S::Ok, S::Error> {
        match self {
            Self::Hit { artifact } => {
                let mut hit = serializer.serialize_struct_variant("LookupResult", 0, "Hit", 1)?;
                hit.serialize_field("artifact", &Out(artifact, generation))?;
                hit.end()
            }
            Self::Miss => serializer.serialize_unit_variant("LookupResult", 1, "Miss"),
        }
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D, body: Body<'_>) -> Result<Self, D::Error> {
        Ok(match LookupResultForm::deserialize(deserializer, body)? {
            LookupResultForm::Hit(Hit { artifact }) => Self::Hit { artifact },
            LookupResultForm::Miss => Self::Miss,
        })
    }

    fn check_paths(&self) -> Result<(), NotUtf8> {
        match self {
            Self::Hit { artifact } => artifact.check_paths(),
            Self::Miss => Ok(()),
        }
    }

    fn bulk(&self) -> usize {
        match self {
            Self::Hit { artifact } => artifact.bulk(),
            Self::Miss => 0,
        }
    }

    fn texts(&self) -> usize {
        match self {
            Self::Hit { artifact } => artifact.texts(),
            Self::Miss => 0,
        }
    }

    fn large<'a>(&'a self, least: usize, found: &mut Vec<&'a Bytes>) {
        if let Self::Hit { artifact } = self {
            artifact.large(least, found);
        }
    }
}
