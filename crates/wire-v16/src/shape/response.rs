//! Responses: members and fields in the order of their numbers.

use crate::{Generation, control};

choice! {
    Response of response, ResponseKind since Generation::of_response, by control::accepts_response, control::RESPONSES {
        Pong,
        ShuttingDown,
        Status(status: DaemonStatus),
        LookupResult(result: LookupResult),
        StoreResult(result: StoreResult),
        SessionStarted(started: SessionStarted),
        CompileResult(result: CompileResult),
        SessionEnded(reply: SessionEnded),
        LinkResult(result: LinkResult),
        Error(error: Error),
        Cleared(cleared: Cleared),
        SessionStatsResult(reply: SessionStatsResult),
        FingerprintCheckResult(result: FingerprintCheckResult),
        FingerprintAck,
        RustArtifactList(list: RustArtifactList),
        GenericToolExecResult(result: GenericToolExecResult),
        Backpressure(pressure: Backpressure),
        ReleaseWorktreeHandlesResult(result: ReleaseWorktreeHandlesResult),
        ExecProbeResult(result: ExecProbeResult) = 20,
        ExecStoreAck(ack: ExecStoreAck) = 21,
        CompileProgress(progress: CompileProgress) = 19,
    }
}

record! {
    SessionStarted as SessionStarted { session_id, journal_path }
    CompileResult as CompileResult { exit_code, stdout, stderr, cached }
    SessionEnded as SessionStatsReply { stats }
    LinkResult as LinkResult { exit_code, stdout, stderr, cached, warning }
    Error as ErrorMessage { message }
    Cleared as Cleared {
        artifacts_removed, metadata_cleared, dep_graph_contexts_cleared, on_disk_bytes_freed,
    }
    SessionStatsResult as SessionStatsReply { stats }
    FingerprintCheckResult as FingerprintCheckResult { decision, reason, changed_files }
    RustArtifactList as RustArtifactList { artifacts }
    GenericToolExecResult as GenericToolExecResult {
        exit_code, stdout, stderr, output_files, cached, cache_key_hex,
    }
    Backpressure as Backpressure { queue_depth, retry_after_ms, reason }
    ReleaseWorktreeHandlesResult as ReleaseWorktreeHandlesResult {
        inspected, released, sessions_dropped, unreleased,
    }
    ExecProbeResult as ExecProbeResult { cache_key_hex, cached_bytes }
    ExecStoreAck as ExecStoreAck { stored }
    CompileProgress as CompileProgress { queue_position, queue_depth, in_flight, phase }
}
