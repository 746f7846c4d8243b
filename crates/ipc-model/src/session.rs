//! Sessions: a build that wants its own figures.

use crate::{EnvVars, NormalizedPath, SessionStats};

/// Opens a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionStart {
    /// The process that asks.
    pub client_pid: u32,
    /// The directory of the build.
    pub working_dir: NormalizedPath,
    /// A file that the session logs to.
    pub log_file: Option<NormalizedPath>,
    /// Whether the session keeps figures.
    pub track_stats: bool,
    /// A file that gets one line for each event.
    pub journal_path: Option<NormalizedPath>,
    /// Whether phases are timed.
    pub profile: bool,
    /// Asks for a daemon of the client's own.
    pub private_daemon: Option<PrivateDaemonSessionOptions>,
}

/// What a client wants of a daemon of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrivateDaemonSessionOptions {
    /// The daemon's name.
    pub daemon_name: Option<String>,
    /// The endpoint that it must have.
    pub endpoint: Option<String>,
    /// The cache directory that it must have.
    pub cache_dir: Option<NormalizedPath>,
    /// The processes that it lives for; empty means the client.
    pub owner_pids: Vec<u32>,
    /// Variables that override those of each compilation.
    pub env: EnvVars,
}

/// Names the session that a request is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionId {
    /// The id that the daemon gave out.
    pub session_id: String,
}

/// The answer to a session start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionStarted {
    /// The new session's id.
    pub session_id: String,
    /// Where its journal is.
    pub journal_path: Option<NormalizedPath>,
}

/// The figures of a session, where it keeps any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionStatsReply {
    /// The figures.
    pub stats: Option<Box<SessionStats>>,
}

impl From<Option<SessionStats>> for SessionStatsReply {
    fn from(stats: Option<SessionStats>) -> Self {
        Self { stats: stats.map(Box::new) }
    }
}
