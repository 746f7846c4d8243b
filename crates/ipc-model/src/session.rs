//! Sessions, which keep separate statistics for one build.

use crate::{EnvVars, NormalizedPath, SessionStats};

/// Opens a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct SessionStart {
    /// Process id of the client.
    pub client_pid: u32,
    /// Directory of the build.
    pub working_dir: NormalizedPath,
    /// Log file of the session.
    pub log_file: Option<NormalizedPath>,
    /// True if the session keeps statistics.
    pub track_stats: bool,
    /// Journal file, with one line for each event.
    pub journal_path: Option<NormalizedPath>,
    /// True if the daemon measures the time of each phase.
    pub profile: bool,
    /// Asks for a private daemon.
    pub private_daemon: Option<PrivateDaemonSessionOptions>,
}

/// Options of a private daemon.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct PrivateDaemonSessionOptions {
    /// Name of the daemon.
    pub daemon_name: Option<String>,
    /// Required endpoint of the daemon.
    pub endpoint: Option<String>,
    /// Required cache directory of the daemon.
    pub cache_dir: Option<NormalizedPath>,
    /// Processes that own the daemon, which exits after them; empty means the client.
    pub owner_pids: Vec<u32>,
    /// Variables that override the environment of each compilation.
    pub env: EnvVars,
}

/// Names the session of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct SessionId {
    /// Id that the daemon assigned.
    pub session_id: String,
}

/// Answer to a session start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct SessionStarted {
    /// Id of the new session.
    pub session_id: String,
    /// Journal file of the session.
    pub journal_path: Option<NormalizedPath>,
}

/// Statistics of a session, if it keeps them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct SessionStatsReply {
    /// Statistics; `None` if the session keeps none.
    pub stats: Option<Box<SessionStats>>,
}

impl From<Option<SessionStats>> for SessionStatsReply {
    fn from(stats: Option<SessionStats>) -> Self {
        Self { stats: stats.map(Box::new) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_that_exist_are_in_the_reply() {
        let stats = SessionStats { hits: 3, ..SessionStats::default() };
        assert_eq!(SessionStatsReply::from(Some(stats.clone())).stats.as_deref(), Some(&stats));
        assert_eq!(SessionStatsReply::from(None).stats, None);
    }
}
