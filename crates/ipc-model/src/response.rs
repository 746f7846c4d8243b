//! Everything that a daemon can answer.

use crate::request::{kinds, made_of};
use crate::{
    CompileProgress, CompileResult, DaemonStatus, ExecProbeResult, ExecStoreAck, FingerprintCheckResult,
    GenericToolExecResult, LinkResult, LookupResult, NormalizedPath, RustArtifactInfo, SessionStarted,
    SessionStatsReply, StoreResult,
};

/// A response, in the order of its wire numbers (`docs/spec/wire-v15.md#response`).
///
/// It is moved many times on its way, so that what is large stands in a box, and the whole is at most 80
/// bytes. [`From`] puts it there: `Response::from(status)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// The daemon is there.
    Pong,
    /// It finishes and exits.
    ShuttingDown,
    /// How it is.
    Status(Box<DaemonStatus>),
    /// Whether a key is cached.
    LookupResult(LookupResult),
    /// Whether a store changed anything.
    StoreResult(StoreResult),
    /// A session is open.
    SessionStarted(SessionStarted),
    /// How a compilation ended.
    CompileResult(CompileResult),
    /// A session is closed.
    SessionEnded(SessionStatsReply),
    /// How a link step ended.
    LinkResult(Box<LinkResult>),
    /// The request was not done.
    Error(ErrorMessage),
    /// What was forgotten.
    Cleared(Cleared),
    /// What happened in a session.
    SessionStatsResult(SessionStatsReply),
    /// Whether anything changed.
    FingerprintCheckResult(FingerprintCheckResult),
    /// A mark is set.
    FingerprintAck,
    /// Which Rust artifacts are cached.
    RustArtifactList(RustArtifactList),
    /// How a tool ended.
    GenericToolExecResult(Box<GenericToolExecResult>),
    /// Too busy; ask again later.
    Backpressure(Backpressure),
    /// What was let go of.
    ReleaseWorktreeHandlesResult(ReleaseWorktreeHandlesResult),
    /// Stored result of work that the client does itself, if there is one.
    ExecProbeResult(ExecProbeResult),
    /// Whether such a result was stored.
    ExecStoreAck(ExecStoreAck),
    /// Progress of a compilation; not the final response, which follows.
    CompileProgress(CompileProgress),
}

/// Why a request was not done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorMessage {
    /// For people; released software matches on the version mismatch text only.
    ///
    /// Rule: `docs/spec/wire.md#texts-of-errors`.
    pub message: String,
}

/// What a clear removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Cleared {
    /// Artifacts.
    pub artifacts_removed: u64,
    /// Metadata entries.
    pub metadata_cleared: u64,
    /// Contexts of the dependency graph.
    pub dep_graph_contexts_cleared: u64,
    /// Bytes freed on disk.
    pub on_disk_bytes_freed: u64,
}

/// The Rust artifacts that are cached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RustArtifactList {
    /// One entry for each.
    pub artifacts: Vec<RustArtifactInfo>,
}

/// The daemon is over its limits and did not act on the request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backpressure {
    /// How much waits already.
    pub queue_depth: u32,
    /// Milliseconds to wait before asking again.
    pub retry_after_ms: u32,
    /// Which limit it was.
    pub reason: String,
}

/// What was let go of under a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReleaseWorktreeHandlesResult {
    /// Handles looked at.
    pub inspected: u32,
    /// Handles let go of.
    pub released: u32,
    /// Sessions that were ended.
    pub sessions_dropped: Vec<String>,
    /// What is still held.
    pub unreleased: Vec<NormalizedPath>,
}

kinds! {
    /// Which response, without its contents.
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
    /// Returns an [`Response::Error`] that says `message`.
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
