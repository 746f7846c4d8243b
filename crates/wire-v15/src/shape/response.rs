//! Responses (`docs/spec/wire-v15.md#response`), fields and variants in wire order.

use ipc_model::{
    Backpressure, Cleared, CompileResult, ErrorMessage, FingerprintCheckResult, GenericToolExecResult,
    LinkResult, ReleaseWorktreeHandlesResult, Response, RustArtifactList, SessionStarted, SessionStatsReply,
};

use super::Message;

choice! {
    Response {
        0 Pong,
        1 ShuttingDown,
        2 Status(status),
        3 LookupResult(result),
        4 StoreResult(result),
        5 SessionStarted(started),
        6 CompileResult(result),
        7 SessionEnded(reply),
        8 LinkResult(result),
        9 Error(error),
        10 Cleared(cleared),
        11 SessionStatsResult(reply),
        12 FingerprintCheckResult(result),
        13 FingerprintAck,
        14 RustArtifactList(list),
        15 GenericToolExecResult(result),
        16 Backpressure(pressure),
        17 ReleaseWorktreeHandlesResult(result),
    }
}

record! {
    SessionStarted { session_id, journal_path }
    CompileResult { exit_code, stdout, stderr, cached }
    SessionStatsReply { stats }
    LinkResult { exit_code, stdout, stderr, cached, warning }
    ErrorMessage { message }
    Cleared { artifacts_removed, metadata_cleared, dep_graph_contexts_cleared, on_disk_bytes_freed }
    FingerprintCheckResult { decision, reason, changed_files }
    RustArtifactList { artifacts }
    GenericToolExecResult { exit_code, stdout, stderr, output_files, cached, cache_key_hex }
    Backpressure { queue_depth, retry_after_ms, reason }
    ReleaseWorktreeHandlesResult { inspected, released, sessions_dropped, unreleased }
}

impl Message for Response {
    const NAME: &'static str = "Response";
    const VARIANTS: u32 = 18;
}
