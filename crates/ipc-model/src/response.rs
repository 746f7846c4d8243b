//! Responses of a daemon.

use crate::request::{kinds, made_of};
use crate::{
    CompileProgress, CompileResult, DaemonStatus, ExecProbeResult, ExecStoreAck, FingerprintCheckResult,
    GenericToolExecResult, LinkResult, LookupResult, NormalizedPath, RustArtifactInfo, SessionStarted,
    SessionStatsReply, StoreResult,
};

/// A response, in the order of its wire numbers (`docs/spec/wire-v15.md#response`).
///
/// Code moves a response many times, so large contents are boxed and a response has at most 80 bytes.
/// [`From`] boxes the contents: `Response::from(status)`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub enum Response {
    /// Answer to a ping.
    Pong,
    /// The daemon finishes the requests in flight and exits.
    ShuttingDown,
    /// Status of the daemon.
    Status(Box<DaemonStatus>),
    /// Answer to a lookup: the artifact or a miss.
    LookupResult(LookupResult),
    /// Answer to a store.
    StoreResult(StoreResult),
    /// The daemon opened a session.
    SessionStarted(SessionStarted),
    /// Result of a compilation.
    CompileResult(CompileResult),
    /// The daemon closed a session.
    SessionEnded(SessionStatsReply),
    /// Result of a link step.
    LinkResult(Box<LinkResult>),
    /// The daemon did not carry out the request.
    Error(ErrorMessage),
    /// Counts of a clear.
    Cleared(Cleared),
    /// Statistics of a session.
    SessionStatsResult(SessionStatsReply),
    /// Answer to a fingerprint check.
    FingerprintCheckResult(FingerprintCheckResult),
    /// The daemon recorded a mark or an invalidation.
    FingerprintAck,
    /// List of cached Rust artifacts.
    RustArtifactList(RustArtifactList),
    /// Result of a tool.
    GenericToolExecResult(Box<GenericToolExecResult>),
    /// The daemon is over a limit; the client may retry later.
    Backpressure(Backpressure),
    /// Handles that the daemon closed under a directory.
    ReleaseWorktreeHandlesResult(ReleaseWorktreeHandlesResult),
    /// Stored result of work that clients do themselves, or a miss.
    ExecProbeResult(ExecProbeResult),
    /// Answer to a store of such a result.
    ExecStoreAck(ExecStoreAck),
    /// Progress of a compilation; the final response follows.
    CompileProgress(CompileProgress),
}

/// Reason why the daemon did not carry out a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct ErrorMessage {
    /// Text for people; released clients match only on the text of a version mismatch.
    ///
    /// Rule: `docs/spec/wire.md#texts-of-errors`.
    pub message: String,
}

/// Counts of a clear.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Cleared {
    /// Removed artifacts.
    pub artifacts_removed: u64,
    /// Removed metadata entries.
    pub metadata_cleared: u64,
    /// Removed contexts of the dependency graph.
    pub dep_graph_contexts_cleared: u64,
    /// Bytes freed on disk.
    pub on_disk_bytes_freed: u64,
}

/// List of cached Rust artifacts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct RustArtifactList {
    /// One entry for each artifact.
    pub artifacts: Vec<RustArtifactInfo>,
}

/// The daemon is over a limit and did not act on the request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Backpressure {
    /// Number of requests that wait already.
    pub queue_depth: u32,
    /// Milliseconds to wait before a retry.
    pub retry_after_ms: u32,
    /// Name of the limit.
    pub reason: String,
}

/// Handles that the daemon closed under a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct ReleaseWorktreeHandlesResult {
    /// Number of inspected handles.
    pub inspected: u32,
    /// Number of closed handles.
    pub released: u32,
    /// Ids of the sessions that the daemon ended.
    pub sessions_dropped: Vec<String>,
    /// Paths whose handles are still open.
    pub unreleased: Vec<NormalizedPath>,
}

kinds! {
    /// The variant of a [`Response`], without its contents.
    ResponseKind of Response {
        0 Pong,
        1 ShuttingDown,
        2 Status(_),
        3 LookupResult(_),
        4 StoreResult(_),
        5 SessionStarted(_),
        6 CompileResult(_),
        7 SessionEnded(_),
        8 LinkResult(_),
        9 Error(_),
        10 Cleared(_),
        11 SessionStatsResult(_),
        12 FingerprintCheckResult(_),
        13 FingerprintAck,
        14 RustArtifactList(_),
        15 GenericToolExecResult(_),
        16 Backpressure(_),
        17 ReleaseWorktreeHandlesResult(_),
        18 ExecProbeResult(_),
        19 ExecStoreAck(_),
        20 CompileProgress(_),
    }
}

made_of! {
    Response {
        Status(DaemonStatus),
        LookupResult(LookupResult),
        StoreResult(StoreResult),
        SessionStarted(SessionStarted),
        CompileResult(CompileResult),
        LinkResult(LinkResult),
        Error(ErrorMessage),
        Cleared(Cleared),
        FingerprintCheckResult(FingerprintCheckResult),
        RustArtifactList(RustArtifactList),
        GenericToolExecResult(GenericToolExecResult),
        Backpressure(Backpressure),
        ReleaseWorktreeHandlesResult(ReleaseWorktreeHandlesResult),
        ExecProbeResult(ExecProbeResult),
        ExecStoreAck(ExecStoreAck),
        CompileProgress(CompileProgress),
    }
}

impl Response {
    /// Returns a [`Response::Error`] with `message`.
    pub fn error(message: impl Into<String>) -> Self {
        Self::Error(ErrorMessage { message: message.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_cheap_to_move() {
        assert!(size_of::<Response>() <= 80, "{}", size_of::<Response>());
    }
}
