//! The download daemon's messages (`docs/spec/download.md`), fields and variants in wire order.

use ipc_model::download::{
    DownloadAttach, DownloadAttached, DownloadDaemonStatus, DownloadOptions, DownloadPhase, DownloadRequest,
    DownloadResponse, DownloadStatus, DownloadStatusReply, DownloadWait,
};

use super::{Direction, Message};
use crate::Generation;

choice! {
    DownloadRequest {
        0 Ping,
        1 Status,
        2 Shutdown,
        3 DownloadAttach(attach),
        4 DownloadStatus,
        5 DownloadWait(wait),
        6 DownloadCancel,
    }
    DownloadResponse {
        0 Pong,
        1 Status(status),
        2 ShuttingDown,
        3 DownloadAttached(attached),
        4 DownloadStatusResult(reply),
        5 DownloadFinished(reply),
        6 DownloadCancelled(reply),
        7 Error(error),
    }
    DownloadPhase { 0 Pending, 1 Downloading, 2 Finalizing, 3 Completed, 4 Cancelled, 5 Failed }
}

record! {
    DownloadAttach { url, destination, options }
    DownloadWait { timeout_ms }
    DownloadOptions { force, max_connections, min_segment_size }
    DownloadAttached { download_id, initiator, status }
    DownloadStatusReply { status }
    DownloadStatus {
        phase, total_bytes, downloaded_bytes, percentage, active_clients, destination, source_url, error,
    }
    DownloadDaemonStatus { version, active_downloads, connected_clients, uptime_secs, endpoint }
}

impl Message for DownloadRequest {
    const NAME: &'static str = "DownloadRequest";
    const DIRECTION: Direction = Direction::Request;

    fn variants(_: Generation) -> Option<u32> {
        Some(7)
    }
}

impl Message for DownloadResponse {
    const NAME: &'static str = "DownloadResponse";
    const DIRECTION: Direction = Direction::Response;

    fn variants(_: Generation) -> Option<u32> {
        Some(8)
    }
}
