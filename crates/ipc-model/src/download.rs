//! Requests to the download daemon and its responses (`docs/spec/download.md`).

use crate::NormalizedPath;

/// A request to the download daemon.
///
/// The daemon keeps state for each connection: at most one download is attached to it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub enum DownloadRequest {
    /// Checks that the daemon answers.
    Ping,
    /// Asks for the daemon's status.
    Status,
    /// Asks the daemon to exit.
    Shutdown,
    /// Starts or joins a download.
    DownloadAttach(DownloadAttach),
    /// Asks for the progress of the attached download.
    DownloadStatus,
    /// Waits for progress of the attached download.
    DownloadWait(DownloadWait),
    /// Detaches from the download.
    DownloadCancel,
}

/// A response of the download daemon.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub enum DownloadResponse {
    /// Answer to a ping.
    Pong,
    /// Status of the daemon.
    Status(DownloadDaemonStatus),
    /// The daemon exits.
    ShuttingDown,
    /// A download is attached to the connection.
    DownloadAttached(DownloadAttached),
    /// Progress of the download.
    DownloadStatusResult(DownloadStatusReply),
    /// The download is complete.
    DownloadFinished(DownloadStatusReply),
    /// The download was cancelled or failed.
    DownloadCancelled(DownloadStatusReply),
    /// The daemon did not carry out the request.
    Error(crate::ErrorMessage),
}

/// Asks to start or join a download.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct DownloadAttach {
    /// Source URL.
    pub url: String,
    /// Destination file.
    pub destination: NormalizedPath,
    /// Options of the download.
    pub options: DownloadOptions,
}

/// Waits for the next progress, the end of the download or the timeout.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct DownloadWait {
    /// Timeout in milliseconds.
    pub timeout_ms: Option<u64>,
}

/// Options of a download.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct DownloadOptions {
    /// Download even if the destination exists.
    pub force: bool,
    /// Largest number of connections to the source.
    pub max_connections: Option<u64>,
    /// Smallest segment, in bytes.
    pub min_segment_size: Option<u64>,
}

/// Answer to an attach: a download is attached to the connection.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct DownloadAttached {
    /// Id of the download.
    pub download_id: String,
    /// True if this connection started the download.
    pub initiator: bool,
    /// Progress of the download.
    pub status: DownloadStatus,
}

/// Answer with the progress of a download.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct DownloadStatusReply {
    /// Progress of the download.
    pub status: DownloadStatus,
}

/// Progress of a download.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct DownloadStatus {
    /// Phase of the download.
    pub phase: DownloadPhase,
    /// Size of the file in bytes, if known.
    pub total_bytes: Option<u64>,
    /// Bytes downloaded.
    pub downloaded_bytes: u64,
    /// [`percentage`] of `downloaded_bytes` and `total_bytes`.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::form::finite"))]
    pub percentage: Option<f32>,
    /// Number of connections that wait for the download.
    pub active_clients: u32,
    /// Destination file.
    pub destination: NormalizedPath,
    /// Source URL.
    pub source_url: String,
    /// Reason of the failure.
    pub error: Option<String>,
}

/// Phase of a download.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub enum DownloadPhase {
    /// Not started.
    Pending,
    /// Bytes arrive.
    Downloading,
    /// All bytes arrived; the daemon moves the file to its destination.
    Finalizing,
    /// Done.
    Completed,
    /// Stopped because no connection waits for it.
    Cancelled,
    /// Stopped because of an error.
    Failed,
}

/// Status of the download daemon.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct DownloadDaemonStatus {
    /// Release of the daemon.
    pub version: String,
    /// Number of running downloads.
    pub active_downloads: u64,
    /// Number of open connections.
    pub connected_clients: u64,
    /// Seconds since it started.
    pub uptime_secs: u64,
    /// Endpoint of the daemon.
    pub endpoint: String,
}

/// Returns the percentage that peers display, rounded to two decimals.
///
/// The value is computed in 64 bits and then narrowed. `None` if the total is unknown or 0.
#[must_use]
pub fn percentage(downloaded: u64, total: Option<u64>) -> Option<f32> {
    match total {
        None | Some(0) => None,
        Some(total) => Some(((downloaded as f64 * 100.0 / total as f64 * 100.0).round() / 100.0) as f32),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_has_two_decimals_and_needs_a_total() {
        assert_eq!(percentage(1, Some(3)), Some(33.33));
        assert_eq!(percentage(3, Some(2)), Some(150.0));
        assert_eq!((percentage(1, None), percentage(0, Some(0))), (None, None));
    }
}
