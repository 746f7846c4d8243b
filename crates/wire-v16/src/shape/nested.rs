//! The messages within messages, fields in the order of their numbers.

use ipc_model::{
    ArtifactData, ArtifactOutput, ArtifactPayload, DaemonStatus, ExecCachePolicy, ExecOutputStreams,
    LookupOutcomes, NormalizedPath, NotUtf8, PhaseProfileSummary, PrivateDaemonOwnerStatus,
    PrivateDaemonSessionOptions, PrivateDaemonStatus, RustArtifactInfo, SessionStats, StagedProfileSummary,
};
use wire_frame::Pieces;

use super::{Contents, Field, Out, Record};
use crate::ConvertError;
use crate::convert_error::Place;
use crate::generated::fields::zccache_v1 as numbers;
use crate::generated::zccache_v1 as wire;

nested! {
    Path of NormalizedPath,
    EnvVar of (String, String),
    PrivateDaemonSessionOptions of PrivateDaemonSessionOptions,
    ArtifactData of ArtifactData,
    ArtifactOutput of ArtifactOutput,
    ArtifactPayload of ArtifactPayload,
    ExecOutputStreams of ExecOutputStreams,
    PrivateDaemonOwnerStatus of PrivateDaemonOwnerStatus,
    PrivateDaemonStatus of PrivateDaemonStatus,
    DaemonStatus of DaemonStatus,
    SessionStats of SessionStats,
    PhaseProfileSummary of PhaseProfileSummary,
    LookupOutcomes of LookupOutcomes,
    StagedProfileSummary of StagedProfileSummary,
    RustArtifactInfo of RustArtifactInfo,
}

record! {
    PrivateDaemonSessionOptions as PrivateDaemonSessionOptions {
        daemon_name, endpoint, cache_dir, owner_pids, env,
    }
    ArtifactData as ArtifactData { outputs, stdout, stderr, exit_code }
    ArtifactOutput as ArtifactOutput { name, payload }
    ExecOutputStreams as ExecOutputStreams { stdout, stderr }
    PrivateDaemonOwnerStatus as PrivateDaemonOwnerStatus { pid, ref_count }
    PrivateDaemonStatus as PrivateDaemonStatus { enabled, owners, private_env_keys }
    DaemonStatus as DaemonStatus {
        version, daemon_namespace, endpoint, private_daemon, artifact_count, cache_size_bytes, metadata_entries,
        uptime_secs, cache_hits, cache_misses, total_compilations, non_cacheable, compile_errors,
        compile_errors_cached, time_saved_ms, total_links, link_hits, link_misses, link_non_cacheable,
        dep_graph_contexts, dep_graph_files, sessions_total, sessions_active, cache_dir, dep_graph_version,
        dep_graph_disk_size, dep_graph_persisted, watcher_active, watcher_degradations, index_writer_gone,
    }
    SessionStats as SessionStats {
        duration_ms, compilations, hits, misses, non_cacheable, errors, errors_cached, time_saved_ms,
        unique_sources, bytes_read, bytes_written, phase_profile, lookup_outcomes,
    }
    PhaseProfileSummary as PhaseProfileSummary {
        hit_count, miss_count, parse_args_ns, build_context_ns, hash_source_ns, hash_headers_ns,
        depgraph_check_ns, request_cache_lookup_ns, cross_root_validate_ns, artifact_lookup_ns,
        write_output_ns, bookkeeping_ns, total_hit_ns, compiler_exec_ns, include_scan_ns, hash_all_ns,
        artifact_store_ns, total_miss_ns, staged,
    }
    LookupOutcomes as LookupOutcomes {
        depgraph_hit_artifact_hit, depgraph_hit_artifact_miss, depgraph_cold_skip, depgraph_other_miss,
    }
    StagedProfileSummary as StagedProfileSummary { counters, timings_ns, bytes, failures }
    RustArtifactInfo as RustArtifactInfo { cache_key, output_names, payload_count }
}

/// The figures of a session, which are large and often not there.
impl Contents for Box<SessionStats> {
    fn size(&self) -> usize {
        wire::SessionStats::len(self)
    }

    fn put(&self, buffer: &mut Pieces) {
        wire::SessionStats::put(self, buffer);
    }
}

impl Field for Option<Box<SessionStats>> {
    type Wire = Option<Box<wire::SessionStats>>;

    fn of_wire(wire: Self::Wire, _: Place) -> Result<Self, ConvertError> {
        wire.map(|stats| stats.into_model().map(Box::new)).transpose()
    }
}

/// A path is text in a message of its own, so that an empty one is not an absent one.
impl Record for wire::Path {
    type Model = NormalizedPath;

    fn len(model: &NormalizedPath) -> usize {
        text(model).field_len(numbers::Path::value)
    }

    fn put(model: &NormalizedPath, buffer: &mut Pieces) {
        text(model).put_field(numbers::Path::value, buffer);
    }

    fn check_paths(model: &NormalizedPath) -> Result<(), NotUtf8> {
        model.to_wire().map(drop)
    }

    fn into_model(self) -> Result<NormalizedPath, ConvertError> {
        Ok(NormalizedPath::new(self.value))
    }
}

/// The text of a path that was checked.
fn text(path: &NormalizedPath) -> &str {
    path.to_wire().expect("paths are checked before anything is measured or written")
}

impl Record for wire::EnvVar {
    type Model = (String, String);

    fn len((name, value): &(String, String)) -> usize {
        name.field_len(numbers::EnvVar::name) + value.field_len(numbers::EnvVar::value)
    }

    fn put((name, value): &(String, String), buffer: &mut Pieces) {
        name.put_field(numbers::EnvVar::name, buffer);
        value.put_field(numbers::EnvVar::value, buffer);
    }

    fn check_paths(_: &(String, String)) -> Result<(), NotUtf8> {
        Ok(())
    }

    fn into_model(self) -> Result<(String, String), ConvertError> {
        Ok((self.name, self.value))
    }
}

impl Out for ExecCachePolicy {
    fn field_len(&self, number: u32) -> usize {
        policy_number(*self).field_len(number)
    }

    fn put_field(&self, number: u32, buffer: &mut Pieces) {
        policy_number(*self).put_field(number, buffer);
    }
}

impl Field for ExecCachePolicy {
    type Wire = i32;

    fn of_wire(wire: i32, place: Place) -> Result<Self, ConvertError> {
        match wire::ExecCachePolicy::try_from(wire) {
            Ok(wire::ExecCachePolicy::Normal) => Ok(Self::Normal),
            Ok(wire::ExecCachePolicy::Bypass) => Ok(Self::Bypass),
            Ok(wire::ExecCachePolicy::ReadOnly) => Ok(Self::ReadOnly),
            Ok(wire::ExecCachePolicy::Unspecified) | Err(_) => {
                Err(place.value(wire, "Normal, Bypass, or ReadOnly"))
            }
        }
    }
}

fn policy_number(policy: ExecCachePolicy) -> i32 {
    let policy = match policy {
        ExecCachePolicy::Normal => wire::ExecCachePolicy::Normal,
        ExecCachePolicy::Bypass => wire::ExecCachePolicy::Bypass,
        ExecCachePolicy::ReadOnly => wire::ExecCachePolicy::ReadOnly,
    };
    policy as i32
}
