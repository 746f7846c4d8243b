//! The fields of every message: their numbers, and the lists that they reach.
// Made by `cargo xtask codegen` from the schemas under `proto/`. Never edited.
#![expect(
    non_upper_case_globals,
    non_snake_case,
    dead_code,
    reason = "names are those of the schemas, and there is a number for every field"
)]

pub(crate) mod zccache_v1 {
    pub(crate) mod Empty {
        use crate::weigh::List;

        pub(crate) const LISTS: &[List] = &[];
    }
    pub(crate) mod Path {
        use crate::weigh::List;

        pub(crate) const value: u32 = 1;
        pub(crate) const LISTS: &[List] = &[];
    }
    pub(crate) mod EnvVar {
        use crate::weigh::List;

        pub(crate) const name: u32 = 1;
        pub(crate) const value: u32 = 2;
        pub(crate) const LISTS: &[List] = &[];
    }
    pub(crate) mod Request {
        use crate::weigh::List;

        pub(crate) const ping: u32 = 1;
        pub(crate) const shutdown: u32 = 2;
        pub(crate) const status: u32 = 3;
        pub(crate) const lookup: u32 = 4;
        pub(crate) const store: u32 = 5;
        pub(crate) const session_start: u32 = 6;
        pub(crate) const compile: u32 = 7;
        pub(crate) const session_end: u32 = 8;
        pub(crate) const clear: u32 = 9;
        pub(crate) const compile_ephemeral: u32 = 10;
        pub(crate) const link_ephemeral: u32 = 11;
        pub(crate) const session_stats: u32 = 12;
        pub(crate) const fingerprint_check: u32 = 13;
        pub(crate) const fingerprint_mark_success: u32 = 14;
        pub(crate) const fingerprint_mark_failure: u32 = 15;
        pub(crate) const fingerprint_invalidate: u32 = 16;
        pub(crate) const list_rust_artifacts: u32 = 17;
        pub(crate) const generic_tool_exec: u32 = 18;
        pub(crate) const release_worktree_handles: u32 = 19;
        pub(crate) const exec_probe: u32 = 20;
        pub(crate) const exec_store: u32 = 21;
        pub(crate) const request_id: u32 = 100;
        pub(crate) const LISTS: &[List] = &[
            List { number: 5, element: None, packed: false, within: super::Store::LISTS },
            List { number: 6, element: None, packed: false, within: super::SessionStart::LISTS },
            List { number: 7, element: None, packed: false, within: super::Compile::LISTS },
            List { number: 10, element: None, packed: false, within: super::CompileEphemeral::LISTS },
            List { number: 11, element: None, packed: false, within: super::LinkEphemeral::LISTS },
            List { number: 13, element: None, packed: false, within: super::FingerprintCheck::LISTS },
            List { number: 18, element: None, packed: false, within: super::GenericToolExec::LISTS },
            List { number: 20, element: None, packed: false, within: super::ExecProbe::LISTS },
        ];
    }
    pub(crate) mod Response {
        use crate::weigh::List;

        pub(crate) const pong: u32 = 1;
        pub(crate) const shutting_down: u32 = 2;
        pub(crate) const status: u32 = 3;
        pub(crate) const lookup_result: u32 = 4;
        pub(crate) const store_result: u32 = 5;
        pub(crate) const session_started: u32 = 6;
        pub(crate) const compile_result: u32 = 7;
        pub(crate) const session_ended: u32 = 8;
        pub(crate) const link_result: u32 = 9;
        pub(crate) const error: u32 = 10;
        pub(crate) const cleared: u32 = 11;
        pub(crate) const session_stats_result: u32 = 12;
        pub(crate) const fingerprint_check_result: u32 = 13;
        pub(crate) const fingerprint_ack: u32 = 14;
        pub(crate) const rust_artifact_list: u32 = 15;
        pub(crate) const generic_tool_exec_result: u32 = 16;
        pub(crate) const backpressure: u32 = 17;
        pub(crate) const release_worktree_handles_result: u32 = 18;
        pub(crate) const compile_progress: u32 = 19;
        pub(crate) const exec_probe_result: u32 = 20;
        pub(crate) const exec_store_ack: u32 = 21;
        pub(crate) const request_id: u32 = 100;
        pub(crate) const LISTS: &[List] = &[
            List { number: 3, element: None, packed: false, within: super::DaemonStatus::LISTS },
            List { number: 4, element: None, packed: false, within: super::LookupResult::LISTS },
            List { number: 8, element: None, packed: false, within: super::SessionEnded::LISTS },
            List { number: 12, element: None, packed: false, within: super::SessionStatsResult::LISTS },
            List { number: 13, element: None, packed: false, within: super::FingerprintCheckResult::LISTS },
            List { number: 15, element: None, packed: false, within: super::RustArtifactList::LISTS },
            List { number: 16, element: None, packed: false, within: super::GenericToolExecResult::LISTS },
            List { number: 18, element: None, packed: false, within: super::ReleaseWorktreeHandlesResult::LISTS },
        ];
    }
    pub(crate) mod Lookup {
        use crate::weigh::List;

        pub(crate) const cache_key: u32 = 1;
        pub(crate) const LISTS: &[List] = &[];
    }
    pub(crate) mod Store {
        use crate::weigh::List;

        pub(crate) const cache_key: u32 = 1;
        pub(crate) const artifact: u32 = 2;
        pub(crate) const LISTS: &[List] = &[
            List { number: 2, element: None, packed: false, within: super::ArtifactData::LISTS },
        ];
    }
    pub(crate) mod SessionStart {
        use crate::weigh::List;

        pub(crate) const client_pid: u32 = 1;
        pub(crate) const working_dir: u32 = 2;
        pub(crate) const log_file: u32 = 3;
        pub(crate) const track_stats: u32 = 4;
        pub(crate) const journal_path: u32 = 5;
        pub(crate) const profile: u32 = 6;
        pub(crate) const private_daemon: u32 = 7;
        pub(crate) const LISTS: &[List] = &[
            List { number: 7, element: None, packed: false, within: super::PrivateDaemonSessionOptions::LISTS },
        ];
    }
    pub(crate) mod PrivateDaemonSessionOptions {
        use crate::weigh::List;

        pub(crate) const daemon_name: u32 = 1;
        pub(crate) const endpoint: u32 = 2;
        pub(crate) const cache_dir: u32 = 3;
        pub(crate) const owner_pids: u32 = 4;
        pub(crate) const env: u32 = 5;
        pub(crate) const LISTS: &[List] = &[
            List { number: 4, element: Some(size_of::<u64>()), packed: true, within: &[] },
            List { number: 5, element: Some(size_of::<crate::generated::zccache_v1::EnvVar>()), packed: false, within: super::EnvVar::LISTS },
        ];
    }
    pub(crate) mod Compile {
        use crate::weigh::List;

        pub(crate) const session_id: u32 = 1;
        pub(crate) const args: u32 = 2;
        pub(crate) const cwd: u32 = 3;
        pub(crate) const compiler: u32 = 4;
        pub(crate) const env: u32 = 5;
        pub(crate) const env_is_set: u32 = 6;
        pub(crate) const stdin: u32 = 7;
        pub(crate) const LISTS: &[List] = &[
            List { number: 2, element: Some(size_of::<String>()), packed: false, within: &[] },
            List { number: 5, element: Some(size_of::<crate::generated::zccache_v1::EnvVar>()), packed: false, within: super::EnvVar::LISTS },
        ];
    }
    pub(crate) mod SessionEnd {
        use crate::weigh::List;

        pub(crate) const session_id: u32 = 1;
        pub(crate) const LISTS: &[List] = &[];
    }
    pub(crate) mod CompileEphemeral {
        use crate::weigh::List;

        pub(crate) const client_pid: u32 = 1;
        pub(crate) const working_dir: u32 = 2;
        pub(crate) const compiler: u32 = 3;
        pub(crate) const args: u32 = 4;
        pub(crate) const cwd: u32 = 5;
        pub(crate) const env: u32 = 6;
        pub(crate) const env_is_set: u32 = 7;
        pub(crate) const stdin: u32 = 8;
        pub(crate) const LISTS: &[List] = &[
            List { number: 4, element: Some(size_of::<String>()), packed: false, within: &[] },
            List { number: 6, element: Some(size_of::<crate::generated::zccache_v1::EnvVar>()), packed: false, within: super::EnvVar::LISTS },
        ];
    }
    pub(crate) mod LinkEphemeral {
        use crate::weigh::List;

        pub(crate) const client_pid: u32 = 1;
        pub(crate) const tool: u32 = 2;
        pub(crate) const args: u32 = 3;
        pub(crate) const cwd: u32 = 4;
        pub(crate) const env: u32 = 5;
        pub(crate) const env_is_set: u32 = 6;
        pub(crate) const LISTS: &[List] = &[
            List { number: 3, element: Some(size_of::<String>()), packed: false, within: &[] },
            List { number: 5, element: Some(size_of::<crate::generated::zccache_v1::EnvVar>()), packed: false, within: super::EnvVar::LISTS },
        ];
    }
    pub(crate) mod SessionStatsRequest {
        use crate::weigh::List;

        pub(crate) const session_id: u32 = 1;
        pub(crate) const LISTS: &[List] = &[];
    }
    pub(crate) mod FingerprintCheck {
        use crate::weigh::List;

        pub(crate) const cache_file: u32 = 1;
        pub(crate) const cache_type: u32 = 2;
        pub(crate) const root: u32 = 3;
        pub(crate) const extensions: u32 = 4;
        pub(crate) const include_globs: u32 = 5;
        pub(crate) const exclude: u32 = 6;
        pub(crate) const LISTS: &[List] = &[
            List { number: 4, element: Some(size_of::<String>()), packed: false, within: &[] },
            List { number: 5, element: Some(size_of::<String>()), packed: false, within: &[] },
            List { number: 6, element: Some(size_of::<String>()), packed: false, within: &[] },
        ];
    }
    pub(crate) mod FingerprintMarkSuccess {
        use crate::weigh::List;

        pub(crate) const cache_file: u32 = 1;
        pub(crate) const LISTS: &[List] = &[];
    }
    pub(crate) mod FingerprintMarkFailure {
        use crate::weigh::List;

        pub(crate) const cache_file: u32 = 1;
        pub(crate) const LISTS: &[List] = &[];
    }
    pub(crate) mod FingerprintInvalidate {
        use crate::weigh::List;

        pub(crate) const cache_file: u32 = 1;
        pub(crate) const LISTS: &[List] = &[];
    }
    pub(crate) mod GenericToolExec {
        use crate::weigh::List;

        pub(crate) const tool: u32 = 1;
        pub(crate) const args: u32 = 2;
        pub(crate) const cwd: u32 = 3;
        pub(crate) const env: u32 = 4;
        pub(crate) const input_files: u32 = 5;
        pub(crate) const input_extra: u32 = 6;
        pub(crate) const output_streams: u32 = 7;
        pub(crate) const output_files: u32 = 8;
        pub(crate) const tool_hash: u32 = 9;
        pub(crate) const cache_policy: u32 = 10;
        pub(crate) const cwd_in_key: u32 = 11;
        pub(crate) const include_scan_files: u32 = 12;
        pub(crate) const include_dirs: u32 = 13;
        pub(crate) const system_include_dirs: u32 = 14;
        pub(crate) const iquote_dirs: u32 = 15;
        pub(crate) const depfile: u32 = 16;
        pub(crate) const non_deterministic: u32 = 17;
        pub(crate) const key_args_filter: u32 = 18;
        pub(crate) const LISTS: &[List] = &[
            List { number: 2, element: Some(size_of::<String>()), packed: false, within: &[] },
            List { number: 4, element: Some(size_of::<crate::generated::zccache_v1::EnvVar>()), packed: false, within: super::EnvVar::LISTS },
            List { number: 5, element: Some(size_of::<crate::generated::zccache_v1::Path>()), packed: false, within: super::Path::LISTS },
            List { number: 8, element: Some(size_of::<crate::generated::zccache_v1::Path>()), packed: false, within: super::Path::LISTS },
            List { number: 12, element: Some(size_of::<crate::generated::zccache_v1::Path>()), packed: false, within: super::Path::LISTS },
            List { number: 13, element: Some(size_of::<crate::generated::zccache_v1::Path>()), packed: false, within: super::Path::LISTS },
            List { number: 14, element: Some(size_of::<crate::generated::zccache_v1::Path>()), packed: false, within: super::Path::LISTS },
            List { number: 15, element: Some(size_of::<crate::generated::zccache_v1::Path>()), packed: false, within: super::Path::LISTS },
            List { number: 18, element: Some(size_of::<String>()), packed: false, within: &[] },
        ];
    }
    pub(crate) mod ReleaseWorktreeHandles {
        use crate::weigh::List;

        pub(crate) const path: u32 = 1;
        pub(crate) const LISTS: &[List] = &[];
    }
    pub(crate) mod ArtifactData {
        use crate::weigh::List;

        pub(crate) const outputs: u32 = 1;
        pub(crate) const stdout: u32 = 2;
        pub(crate) const stderr: u32 = 3;
        pub(crate) const exit_code: u32 = 4;
        pub(crate) const LISTS: &[List] = &[
            List { number: 1, element: Some(size_of::<crate::generated::zccache_v1::ArtifactOutput>()), packed: false, within: super::ArtifactOutput::LISTS },
        ];
    }
    pub(crate) mod ArtifactOutput {
        use crate::weigh::List;

        pub(crate) const name: u32 = 1;
        pub(crate) const payload: u32 = 2;
        pub(crate) const LISTS: &[List] = &[];
    }
    pub(crate) mod ArtifactPayload {
        use crate::weigh::List;

        pub(crate) const bytes: u32 = 1;
        pub(crate) const path: u32 = 2;
        pub(crate) const LISTS: &[List] = &[];
    }
    pub(crate) mod LookupResult {
        use crate::weigh::List;

        pub(crate) const hit: u32 = 1;
        pub(crate) const miss: u32 = 2;
        pub(crate) const LISTS: &[List] = &[
            List { number: 1, element: None, packed: false, within: super::ArtifactData::LISTS },
        ];
    }
    pub(crate) mod StoreResult {
        use crate::weigh::List;

        pub(crate) const kind: u32 = 1;
        pub(crate) const LISTS: &[List] = &[];
    }
    pub(crate) mod ExecOutputStreams {
        use crate::weigh::List;

        pub(crate) const stdout: u32 = 1;
        pub(crate) const stderr: u32 = 2;
        pub(crate) const LISTS: &[List] = &[];
    }
    pub(crate) mod DaemonStatus {
        use crate::weigh::List;

        pub(crate) const version: u32 = 1;
        pub(crate) const daemon_namespace: u32 = 2;
        pub(crate) const endpoint: u32 = 3;
        pub(crate) const private_daemon: u32 = 4;
        pub(crate) const artifact_count: u32 = 5;
        pub(crate) const cache_size_bytes: u32 = 6;
        pub(crate) const metadata_entries: u32 = 7;
        pub(crate) const uptime_secs: u32 = 8;
        pub(crate) const cache_hits: u32 = 9;
        pub(crate) const cache_misses: u32 = 10;
        pub(crate) const total_compilations: u32 = 11;
        pub(crate) const non_cacheable: u32 = 12;
        pub(crate) const compile_errors: u32 = 13;
        pub(crate) const compile_errors_cached: u32 = 14;
        pub(crate) const time_saved_ms: u32 = 15;
        pub(crate) const total_links: u32 = 16;
        pub(crate) const link_hits: u32 = 17;
        pub(crate) const link_misses: u32 = 18;
        pub(crate) const link_non_cacheable: u32 = 19;
        pub(crate) const dep_graph_contexts: u32 = 20;
        pub(crate) const dep_graph_files: u32 = 21;
        pub(crate) const sessions_total: u32 = 22;
        pub(crate) const sessions_active: u32 = 23;
        pub(crate) const cache_dir: u32 = 24;
        pub(crate) const dep_graph_version: u32 = 25;
        pub(crate) const dep_graph_disk_size: u32 = 26;
        pub(crate) const dep_graph_persisted: u32 = 27;
        pub(crate) const watcher_active: u32 = 28;
        pub(crate) const watcher_degradations: u32 = 29;
        pub(crate) const index_writer_gone: u32 = 30;
        pub(crate) const LISTS: &[List] = &[
            List { number: 4, element: None, packed: false, within: super::PrivateDaemonStatus::LISTS },
        ];
    }
    pub(crate) mod PrivateDaemonOwnerStatus {
        use crate::weigh::List;

        pub(crate) const pid: u32 = 1;
        pub(crate) const ref_count: u32 = 2;
        pub(crate) const LISTS: &[List] = &[];
    }
    pub(crate) mod PrivateDaemonStatus {
        use crate::weigh::List;

        pub(crate) const enabled: u32 = 1;
        pub(crate) const owners: u32 = 2;
        pub(crate) const private_env_keys: u32 = 3;
        pub(crate) const LISTS: &[List] = &[
            List { number: 2, element: Some(size_of::<crate::generated::zccache_v1::PrivateDaemonOwnerStatus>()), packed: false, within: super::PrivateDaemonOwnerStatus::LISTS },
            List { number: 3, element: Some(size_of::<String>()), packed: false, within: &[] },
        ];
    }
    pub(crate) mod SessionStats {
        use crate::weigh::List;

        pub(crate) const duration_ms: u32 = 1;
        pub(crate) const compilations: u32 = 2;
        pub(crate) const hits: u32 = 3;
        pub(crate) const misses: u32 = 4;
        pub(crate) const non_cacheable: u32 = 5;
        pub(crate) const errors: u32 = 6;
        pub(crate) const errors_cached: u32 = 7;
        pub(crate) const time_saved_ms: u32 = 8;
        pub(crate) const unique_sources: u32 = 9;
        pub(crate) const bytes_read: u32 = 10;
        pub(crate) const bytes_written: u32 = 11;
        pub(crate) const phase_profile: u32 = 12;
        pub(crate) const lookup_outcomes: u32 = 13;
        pub(crate) const LISTS: &[List] = &[
            List { number: 12, element: None, packed: false, within: super::PhaseProfileSummary::LISTS },
            List { number: 13, element: None, packed: false, within: super::LookupOutcomes::LISTS },
        ];
    }
    pub(crate) mod LookupOutcomes {
        use crate::weigh::List;

        pub(crate) const depgraph_hit_artifact_hit: u32 = 1;
        pub(crate) const depgraph_hit_artifact_miss: u32 = 2;
        pub(crate) const depgraph_cold_skip: u32 = 3;
        pub(crate) const depgraph_other_miss: u32 = 4;
        pub(crate) const LISTS: &[List] = &[
            List { number: 4, element: Some(2 * size_of::<(String, u64)>()), packed: false, within: &[] },
        ];
    }
    pub(crate) mod StagedProfileSummary {
        use crate::weigh::List;

        pub(crate) const counters: u32 = 1;
        pub(crate) const timings_ns: u32 = 2;
        pub(crate) const bytes: u32 = 3;
        pub(crate) const failures: u32 = 4;
        pub(crate) const LISTS: &[List] = &[
            List { number: 1, element: Some(2 * size_of::<(String, u64)>()), packed: false, within: &[] },
            List { number: 2, element: Some(2 * size_of::<(String, u64)>()), packed: false, within: &[] },
            List { number: 3, element: Some(2 * size_of::<(String, u64)>()), packed: false, within: &[] },
            List { number: 4, element: Some(2 * size_of::<(String, u64)>()), packed: false, within: &[] },
        ];
    }
    pub(crate) mod PhaseProfileSummary {
        use crate::weigh::List;

        pub(crate) const hit_count: u32 = 1;
        pub(crate) const miss_count: u32 = 2;
        pub(crate) const parse_args_ns: u32 = 3;
        pub(crate) const build_context_ns: u32 = 4;
        pub(crate) const hash_source_ns: u32 = 5;
        pub(crate) const hash_headers_ns: u32 = 6;
        pub(crate) const depgraph_check_ns: u32 = 7;
        pub(crate) const request_cache_lookup_ns: u32 = 8;
        pub(crate) const cross_root_validate_ns: u32 = 9;
        pub(crate) const artifact_lookup_ns: u32 = 10;
        pub(crate) const write_output_ns: u32 = 11;
        pub(crate) const bookkeeping_ns: u32 = 12;
        pub(crate) const total_hit_ns: u32 = 13;
        pub(crate) const compiler_exec_ns: u32 = 14;
        pub(crate) const include_scan_ns: u32 = 15;
        pub(crate) const hash_all_ns: u32 = 16;
        pub(crate) const artifact_store_ns: u32 = 17;
        pub(crate) const total_miss_ns: u32 = 18;
        pub(crate) const staged: u32 = 19;
        pub(crate) const LISTS: &[List] = &[
            List { number: 19, element: None, packed: false, within: super::StagedProfileSummary::LISTS },
        ];
    }
    pub(crate) mod SessionStarted {
        use crate::weigh::List;

        pub(crate) const session_id: u32 = 1;
        pub(crate) const journal_path: u32 = 2;
        pub(crate) const LISTS: &[List] = &[];
    }
    pub(crate) mod CompileResult {
        use crate::weigh::List;

        pub(crate) const exit_code: u32 = 1;
        pub(crate) const stdout: u32 = 2;
        pub(crate) const stderr: u32 = 3;
        pub(crate) const cached: u32 = 4;
        pub(crate) const LISTS: &[List] = &[];
    }
    pub(crate) mod SessionEnded {
        use crate::weigh::List;

        pub(crate) const stats: u32 = 1;
        pub(crate) const LISTS: &[List] = &[
            List { number: 1, element: None, packed: false, within: super::SessionStats::LISTS },
        ];
    }
    pub(crate) mod LinkResult {
        use crate::weigh::List;

        pub(crate) const exit_code: u32 = 1;
        pub(crate) const stdout: u32 = 2;
        pub(crate) const stderr: u32 = 3;
        pub(crate) const cached: u32 = 4;
        pub(crate) const warning: u32 = 5;
        pub(crate) const LISTS: &[List] = &[];
    }
    pub(crate) mod Error {
        use crate::weigh::List;

        pub(crate) const message: u32 = 1;
        pub(crate) const LISTS: &[List] = &[];
    }
    pub(crate) mod Cleared {
        use crate::weigh::List;

        pub(crate) const artifacts_removed: u32 = 1;
        pub(crate) const metadata_cleared: u32 = 2;
        pub(crate) const dep_graph_contexts_cleared: u32 = 3;
        pub(crate) const on_disk_bytes_freed: u32 = 4;
        pub(crate) const LISTS: &[List] = &[];
    }
    pub(crate) mod SessionStatsResult {
        use crate::weigh::List;

        pub(crate) const stats: u32 = 1;
        pub(crate) const LISTS: &[List] = &[
            List { number: 1, element: None, packed: false, within: super::SessionStats::LISTS },
        ];
    }
    pub(crate) mod FingerprintCheckResult {
        use crate::weigh::List;

        pub(crate) const decision: u32 = 1;
        pub(crate) const reason: u32 = 2;
        pub(crate) const changed_files: u32 = 3;
        pub(crate) const LISTS: &[List] = &[
            List { number: 3, element: Some(size_of::<String>()), packed: false, within: &[] },
        ];
    }
    pub(crate) mod RustArtifactInfo {
        use crate::weigh::List;

        pub(crate) const cache_key: u32 = 1;
        pub(crate) const output_names: u32 = 2;
        pub(crate) const payload_count: u32 = 3;
        pub(crate) const LISTS: &[List] = &[
            List { number: 2, element: Some(size_of::<String>()), packed: false, within: &[] },
        ];
    }
    pub(crate) mod RustArtifactList {
        use crate::weigh::List;

        pub(crate) const artifacts: u32 = 1;
        pub(crate) const LISTS: &[List] = &[
            List { number: 1, element: Some(size_of::<crate::generated::zccache_v1::RustArtifactInfo>()), packed: false, within: super::RustArtifactInfo::LISTS },
        ];
    }
    pub(crate) mod GenericToolExecResult {
        use crate::weigh::List;

        pub(crate) const exit_code: u32 = 1;
        pub(crate) const stdout: u32 = 2;
        pub(crate) const stderr: u32 = 3;
        pub(crate) const output_files: u32 = 4;
        pub(crate) const cached: u32 = 5;
        pub(crate) const cache_key_hex: u32 = 6;
        pub(crate) const LISTS: &[List] = &[
            List { number: 4, element: Some(size_of::<crate::generated::zccache_v1::ArtifactOutput>()), packed: false, within: super::ArtifactOutput::LISTS },
        ];
    }
    pub(crate) mod Backpressure {
        use crate::weigh::List;

        pub(crate) const queue_depth: u32 = 1;
        pub(crate) const retry_after_ms: u32 = 2;
        pub(crate) const reason: u32 = 3;
        pub(crate) const LISTS: &[List] = &[];
    }
    pub(crate) mod ReleaseWorktreeHandlesResult {
        use crate::weigh::List;

        pub(crate) const inspected: u32 = 1;
        pub(crate) const released: u32 = 2;
        pub(crate) const sessions_dropped: u32 = 3;
        pub(crate) const unreleased: u32 = 4;
        pub(crate) const LISTS: &[List] = &[
            List { number: 3, element: Some(size_of::<String>()), packed: false, within: &[] },
            List { number: 4, element: Some(size_of::<crate::generated::zccache_v1::Path>()), packed: false, within: super::Path::LISTS },
        ];
    }
    pub(crate) mod Frame {
        use crate::weigh::List;

        pub(crate) const protocol_version: u32 = 1;
        pub(crate) const payload: u32 = 2;
        pub(crate) const payload_type: u32 = 3;
        pub(crate) const LISTS: &[List] = &[];
    }
    pub(crate) mod ExecProbe {
        use crate::weigh::List;

        pub(crate) const name: u32 = 1;
        pub(crate) const input_files: u32 = 2;
        pub(crate) const input_env: u32 = 3;
        pub(crate) const input_extra: u32 = 4;
        pub(crate) const LISTS: &[List] = &[
            List { number: 2, element: Some(size_of::<crate::generated::zccache_v1::Path>()), packed: false, within: super::Path::LISTS },
            List { number: 3, element: Some(size_of::<crate::generated::zccache_v1::EnvVar>()), packed: false, within: super::EnvVar::LISTS },
        ];
    }
    pub(crate) mod ExecStore {
        use crate::weigh::List;

        pub(crate) const cache_key_hex: u32 = 1;
        pub(crate) const result_bytes: u32 = 2;
        pub(crate) const LISTS: &[List] = &[];
    }
    pub(crate) mod ExecProbeResult {
        use crate::weigh::List;

        pub(crate) const cache_key_hex: u32 = 1;
        pub(crate) const cached_bytes: u32 = 2;
        pub(crate) const LISTS: &[List] = &[];
    }
    pub(crate) mod ExecStoreAck {
        use crate::weigh::List;

        pub(crate) const stored: u32 = 1;
        pub(crate) const LISTS: &[List] = &[];
    }
    pub(crate) mod CompileProgress {
        use crate::weigh::List;

        pub(crate) const queue_position: u32 = 1;
        pub(crate) const queue_depth: u32 = 2;
        pub(crate) const in_flight: u32 = 3;
        pub(crate) const phase: u32 = 4;
        pub(crate) const LISTS: &[List] = &[];
    }
}

pub(crate) mod running_process_broker_v1 {
    pub(crate) mod Frame {
        use crate::weigh::List;

        pub(crate) const envelope_version: u32 = 1;
        pub(crate) const kind: u32 = 2;
        pub(crate) const payload_protocol: u32 = 3;
        pub(crate) const payload: u32 = 4;
        pub(crate) const request_id: u32 = 5;
        pub(crate) const payload_encoding: u32 = 6;
        pub(crate) const deadline_unix_ms: u32 = 7;
        pub(crate) const traceparent: u32 = 8;
        pub(crate) const tracestate: u32 = 9;
        pub(crate) const LISTS: &[List] = &[];
    }
}
