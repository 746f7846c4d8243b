//! The log of the daemon's starts and ends (`docs/spec/endpoint.md#layout-of-the-cache-root`), as released
//! programs write it.
//!
//! One JSON object a line, keys sorted. Best effort: a daemon without it works as well.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};
use zccache_ipc::endpoint::{Pid, RollingFile};

use crate::Requests;

/// Above this many bytes the log becomes `.1`.
const LIMIT: u64 = 1 << 20;

/// Where the events of one daemon go.
#[derive(Debug, Clone)]
pub struct LifecycleLog {
    path: PathBuf,
    namespace: String,
}

/// An event in the life of the daemon.
///
/// Names and keys equal the released ones where a released event exists. The counts of requests have keys of
/// their own.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// It listens (`spawn`).
    Spawn {
        /// Where.
        endpoint: String,
        /// The release that it announces.
        version: String,
        /// Seconds without a request after which it ends; 0 is never.
        idle_timeout: u64,
    },
    /// A client asked it to end (`died-shutdown`).
    Shutdown {
        /// The lifetime of the daemon.
        uptime: Duration,
        /// The requests that it answered.
        requests: Requests,
    },
    /// Nobody asked for anything for too long (`died-idle`).
    Idle {
        /// The lifetime of the daemon.
        uptime: Duration,
        /// The requests that it answered.
        requests: Requests,
        /// The limit, in seconds.
        idle_timeout: u64,
    },
    /// The system asked it to end (`died-signal`; no released daemon writes this).
    Signal {
        /// The lifetime of the daemon.
        uptime: Duration,
        /// The requests that it answered.
        requests: Requests,
    },
    /// It was private and has no owner left (`died-owners`; no released daemon writes this).
    Owners {
        /// The lifetime of the daemon.
        uptime: Duration,
        /// The requests that it answered.
        requests: Requests,
    },
    /// A client spoke a version that it does not (`version_mismatch`).
    VersionMismatch {
        /// That version.
        received: u32,
        /// The newest one that it speaks.
        ours: u32,
        /// The release that it announces.
        release: String,
    },
    /// It could not go on, or not even start (`died-error`; no released daemon writes this).
    Failed {
        /// Why.
        reason: String,
    },
    /// Another daemon has the endpoint (`lost`; no released daemon writes this).
    Lost {
        /// The endpoint.
        endpoint: String,
        /// Its daemon, where it is known.
        winner: Option<Pid>,
    },
    /// Its socket was removed and made again (`rebound`; no released daemon writes this).
    Rebound,
}

impl LifecycleLog {
    /// Names the file and the namespace label that stands in each event.
    pub fn new(path: impl Into<PathBuf>, namespace: impl Into<String>) -> Self {
        Self { path: path.into(), namespace: namespace.into() }
    }

    /// Appends `event`, if the log's directory exists.
    ///
    /// A failure is reported in the daemon's own log only.
    pub fn record(&self, event: &Event) {
        // A directory that was refused must not be made by the message that tells so.
        if !self.path.parent().is_some_and(Path::is_dir) {
            return;
        }
        let line = self.line(event, SystemTime::now());
        let written =
            RollingFile::open(&self.path, LIMIT).and_then(|mut file| file.write_all(line.as_bytes()));
        if let Err(error) = written {
            tracing::debug!(path = %self.path.display(), %error, "the lifecycle log cannot be written");
        }
    }

    fn line(&self, event: &Event, now: SystemTime) -> String {
        let mut all = event.fields();
        all.insert("event".to_owned(), event.name().into());
        all.insert("daemon_namespace".to_owned(), self.namespace.as_str().into());
        all.insert("pid".to_owned(), std::process::id().into());
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        all.insert("ts_ms".to_owned(), u64::try_from(since.as_millis()).unwrap_or(u64::MAX).into());
        format!("{}\n", Value::Object(all))
    }
}

impl Event {
    fn name(&self) -> &'static str {
        match self {
            Self::Spawn { .. } => "spawn",
            Self::Shutdown { .. } => "died-shutdown",
            Self::Idle { .. } => "died-idle",
            Self::Signal { .. } => "died-signal",
            Self::Owners { .. } => "died-owners",
            Self::VersionMismatch { .. } => "version_mismatch",
            Self::Failed { .. } => "died-error",
            Self::Lost { .. } => "lost",
            Self::Rebound => "rebound",
        }
    }

    fn fields(&self) -> Map<String, Value> {
        let fields = match self {
            Self::Spawn { endpoint, version, idle_timeout } => {
                json!({ "endpoint": endpoint, "version": version, "idle_timeout": idle_timeout })
            }
            Self::Shutdown { uptime, .. } => {
                json!({ "reason": "graceful-shutdown", "uptime_secs": uptime.as_secs() })
            }
            Self::Idle { uptime, idle_timeout, .. } => json!({
                "reason": "idle-timeout", "idle_secs": idle_timeout, "idle_timeout_secs": idle_timeout,
                "uptime_secs": uptime.as_secs(),
            }),
            Self::Signal { uptime, .. } => json!({ "reason": "signal", "uptime_secs": uptime.as_secs() }),
            Self::Owners { uptime, .. } => {
                json!({ "reason": "no-owner-left", "uptime_secs": uptime.as_secs() })
            }
            Self::VersionMismatch { received, ours, release } => json!({
                "reason": "the client speaks a version that the daemon does not",
                "client_protocol_version": received, "daemon_protocol_version": ours,
                "daemon_crate_version": release,
            }),
            Self::Failed { reason } => json!({ "reason": reason }),
            Self::Lost { endpoint, winner } => {
                json!({ "endpoint": endpoint, "winner_pid": winner.map(Pid::get) })
            }
            Self::Rebound => json!({}),
        };
        let mut fields = match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        if let Self::Shutdown { requests, .. }
        | Self::Idle { requests, .. }
        | Self::Signal { requests, .. }
        | Self::Owners { requests, .. } = self
        {
            fields.extend(requests.fields());
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_lines_as_released_daemons_write_them() {
        #[track_caller]
        fn check(event: Event, expected: &str) {
            let log = LifecycleLog::new("/nowhere", "default");
            let line = log.line(&event, UNIX_EPOCH + Duration::from_millis(1_795_355_773_335));
            assert_eq!(line, format!("{expected}\n").replace("PID", &std::process::id().to_string()));
        }
        let uptime = Duration::from_millis(2900);
        check(
            Event::Spawn { endpoint: "/e".to_owned(), version: "1.12.0".to_owned(), idle_timeout: 3600 },
            r#"{"daemon_namespace":"default","endpoint":"/e","event":"spawn","idle_timeout":3600,"pid":PID,"ts_ms":1795355773335,"version":"1.12.0"}"#,
        );
        check(
            Event::Shutdown {
                uptime,
                requests: Requests { v15: 3, v16: 2, frame_v1: 1, ..Requests::default() },
            },
            r#"{"daemon_namespace":"default","event":"died-shutdown","oldest_wire":"v15","pid":PID,"reason":"graceful-shutdown","requests_frame_v1":1,"requests_v15":3,"requests_v16":2,"ts_ms":1795355773335,"uptime_secs":2}"#,
        );
        check(
            Event::Idle { uptime, idle_timeout: 1, requests: Requests::default() },
            r#"{"daemon_namespace":"default","event":"died-idle","idle_secs":1,"idle_timeout_secs":1,"oldest_wire":null,"pid":PID,"reason":"idle-timeout","requests_frame_v1":0,"requests_v15":0,"requests_v16":0,"ts_ms":1795355773335,"uptime_secs":2}"#,
        );
        check(
            Event::VersionMismatch { received: 17, ours: 16, release: "1.12.0".to_owned() },
            r#"{"client_protocol_version":17,"daemon_crate_version":"1.12.0","daemon_namespace":"default","daemon_protocol_version":16,"event":"version_mismatch","pid":PID,"reason":"the client speaks a version that the daemon does not","ts_ms":1795355773335}"#,
        );
        check(
            Event::Lost { endpoint: "/e".to_owned(), winner: Pid::new(7).ok() },
            r#"{"daemon_namespace":"default","endpoint":"/e","event":"lost","pid":PID,"ts_ms":1795355773335,"winner_pid":7}"#,
        );
    }

    #[test]
    fn a_log_without_its_directory_is_not_written_and_a_directory_is_not_made() {
        let dir = tempfile::TempDir::new().unwrap();
        let logs = dir.path().join("logs");
        LifecycleLog::new(logs.join("log"), "default").record(&Event::Rebound);
        assert!(!logs.exists());
        std::fs::create_dir(&logs).unwrap();
        LifecycleLog::new(logs.join("log"), "default").record(&Event::Rebound);
        assert_eq!(std::fs::read_to_string(logs.join("log")).unwrap().lines().count(), 1);
        // Something else is in its place.
        LifecycleLog::new(&logs, "default").record(&Event::Rebound);
    }
}
