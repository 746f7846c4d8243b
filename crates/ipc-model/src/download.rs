//! What the download daemon can be asked and can answer (`docs/spec/download.md`).

use crate::NormalizedPath;

/// A request to the download daemon. Its state is per connection: at most one download is attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DownloadRequest {
    /// Are you there?
    Ping,
    /// How are you?
    Status,
    /// Exit.
    Shutdown,
    /// Start or join a download.
    DownloadAttach(DownloadAttach),
    /// How far is it?
    DownloadStatus,
    /// Tell me when there is progress.
    DownloadWait(DownloadWait),
    /// I no longer need it.
    DownloadCancel,
}

/// A response of the download daemon.
#[derive(Debug, Clone, PartialEq)]
pub enum DownloadResponse {
    /// The daemon is there.
    Pong,
    /// How it is.
    Status(DownloadDaemonStatus),
    /// It exits.
    ShuttingDown,
    /// A download is attached to the connection.
    DownloadAttached(DownloadAttached),
    /// How far it is.
    DownloadStatusResult(DownloadStatusReply),
    /// It is complete.
    DownloadFinished(DownloadStatusReply),
    /// It was cancelled or has failed.
    DownloadCancelled(DownloadStatusReply),
    /// The request was not done.
    Error(crate::ErrorMessage),
}

/// Asks to start or join a download.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DownloadAttach {
    /// What to download.
    pub url: String,
    /// Where to.
    pub destination: NormalizedPath,
    /// How.
    pub options: DownloadOptions,
}

/// Asks to be told about progress.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct DownloadWait {
    /// Milliseconds to wait at most.
    pub timeout_ms: Option<u64>,
}

/// How to download.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct DownloadOptions {
    /// Download even if the destination exists.
    pub force: bool,
    /// Connections at most.
    pub max_connections: Option<u64>,
    /// Bytes of a segment at least.
    pub min_segment_size: Option<u64>,
}

/// A download is attached.
#[derive(Debug, Clone, PartialEq)]
pub struct DownloadAttached {
    /// The download's id.
    pub download_id: String,
    /// Whether this connection started it.
    pub initiator: bool,
    /// How far it is.
    pub status: DownloadStatus,
}

/// How far a download is.
#[derive(Debug, Clone, PartialEq)]
pub struct DownloadStatusReply {
    /// The figures.
    pub status: DownloadStatus,
}

/// The figures of a download.
#[derive(Debug, Clone, PartialEq)]
pub struct DownloadStatus {
    /// Where it stands.
    pub phase: DownloadPhase,
    /// Its size in bytes, where known.
    pub total_bytes: Option<u64>,
    /// Bytes downloaded.
    pub downloaded_bytes: u64,
    /// [`percentage`] of the two.
    pub percentage: Option<f32>,
    /// Connections that wait for it.
    pub active_clients: u32,
    /// Where it goes to.
    pub destination: NormalizedPath,
    /// Where it comes from.
    pub source_url: String,
    /// Why it failed.
    pub error: Option<String>,
}

/// Where a download stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DownloadPhase {
    /// Not started.
    Pending,
    /// Bytes arrive.
    Downloading,
    /// All bytes are there; the file is put in place.
    Finalizing,
    /// Done.
    Completed,
    /// Given up because nobody waits for it.
    Cancelled,
    /// Given up because of an error.
    Failed,
}

/// What the download daemon says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DownloadDaemonStatus {
    /// Its release.
    pub version: String,
    /// Downloads that run.
    pub active_downloads: u64,
    /// Connections that are open.
    pub connected_clients: u64,
    /// Seconds since it started.
    pub uptime_secs: u64,
    /// Where it listens.
    pub endpoint: String,
}

/// Returns the percentage that peers show: two decimals, computed in 64 bits and then narrowed.
///
/// `None` where the total is unknown or 0.
#[must_use]
pub fn percentage(downloaded: u64, total: Option<u64>) -> Option<f32> {
    match total {
        None | Some(0) => None,
        Some(total) => Some(((downloaded as f64 * 100.0 / total as f64 * 100.0).round() / 100.0) as f32),
    }
}
