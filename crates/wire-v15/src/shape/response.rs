//! Responses (`docs/spec/wire-v15.md#response`), fields and variants in wire order.

use ipc_model::{
    Backpressure, Cleared, CompileProgress, CompileResult, ErrorMessage, ExecProbeResult, ExecStoreAck,
    FingerprintCheckResult, GenericToolExecResult, LinkResult, ReleaseWorktreeHandlesResult, Response,
    RustArtifactList, SessionStarted, SessionStatsReply,
};

use super::{Direction, Message};
use crate::Generation;

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
        18 ExecProbeResult(result),
        19 ExecStoreAck(ack),
        20 CompileProgress(progress),
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
    ExecProbeResult { cache_key_hex, cached_bytes }
    ExecStoreAck { stored }
    CompileProgress { queue_position, queue_depth, in_flight, phase }
}

impl Message for Response {
    const NAME: &'static str = "Response";
    const DIRECTION: Direction = Direction::Response;

    fn variants(generation: Generation) -> Option<u32> {
        Some(match generation {
            _ if generation.has(Generation::V23) => 21,
            _ if generation.has(Generation::V17) => 20,
            _ => 18,
        })
    }

    fn since(&self) -> Generation {
        match self {
            Self::ExecProbeResult(_) | Self::ExecStoreAck(_) => Generation::V17,
            Self::CompileProgress(_) => Generation::V23,
            _ => Generation::V15,
        }
    }

    fn is_interim(&self) -> bool {
        matches!(self, Self::CompileProgress(_))
    }
}
