//! Replies of a download daemon, by request and attached download.
//!
//! Rule: `docs/spec/download.md#conversation`.

use std::time::Duration;

use ipc_model::ErrorMessage;
use ipc_model::download::{
    DownloadAttached, DownloadPhase, DownloadRequest, DownloadResponse, DownloadStatus, DownloadStatusReply,
};

use super::Attached;

/// Error text for a second download on one connection.
pub const ALREADY_ATTACHED: &str = "connection already attached to a download";

/// Error text for a request that needs an attached download.
pub const NOT_ATTACHED: &str = "connection is not attached to a download";

/// Next step after a request.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// Send this answer.
    Answer(DownloadResponse),
    /// Attach the download, then answer [`attached`].
    Attach(ipc_model::download::DownloadAttach),
    /// Answer with the daemon's status.
    Describe,
    /// Wait for progress within this timeout, then answer [`waited`].
    Wait(Option<Duration>),
    /// Detach from the download and send this answer.
    Detach(DownloadResponse),
    /// Answer, then stop the server.
    ShutDown,
}

/// Returns the step for `request` on a connection whose attached download has this `status`.
pub(super) fn step(request: DownloadRequest, status: Option<DownloadStatus>) -> Step {
    let not_attached = || Step::Answer(refusal(NOT_ATTACHED));
    match (request, status) {
        (DownloadRequest::Ping, _) => Step::Answer(DownloadResponse::Pong),
        (DownloadRequest::Status, _) => Step::Describe,
        (DownloadRequest::Shutdown, _) => Step::ShutDown,
        (DownloadRequest::DownloadAttach(_), Some(_)) => Step::Answer(refusal(ALREADY_ATTACHED)),
        (DownloadRequest::DownloadAttach(attach), None) => Step::Attach(attach),
        (
            DownloadRequest::DownloadStatus
            | DownloadRequest::DownloadWait(_)
            | DownloadRequest::DownloadCancel,
            None,
        ) => not_attached(),
        (DownloadRequest::DownloadStatus, Some(status)) => {
            Step::Answer(DownloadResponse::DownloadStatusResult(DownloadStatusReply { status }))
        }
        (DownloadRequest::DownloadWait(_), Some(status)) if is_over(status.phase) => {
            Step::Answer(waited(status))
        }
        (DownloadRequest::DownloadWait(wait), Some(_)) => {
            Step::Wait(wait.timeout_ms.map(Duration::from_millis))
        }
        (DownloadRequest::DownloadCancel, Some(status)) => {
            Step::Detach(DownloadResponse::DownloadCancelled(DownloadStatusReply { status }))
        }
    }
}

/// Returns the answer to an attachment.
pub(super) fn attached(attached: &impl Attached) -> DownloadResponse {
    DownloadResponse::DownloadAttached(DownloadAttached {
        download_id: attached.id().to_owned(),
        initiator: attached.is_initiator(),
        status: attached.status(),
    })
}

/// Returns the answer to a wait.
pub(super) fn waited(status: DownloadStatus) -> DownloadResponse {
    let phase = status.phase;
    let reply = DownloadStatusReply { status };
    match phase {
        DownloadPhase::Completed => DownloadResponse::DownloadFinished(reply),
        DownloadPhase::Cancelled | DownloadPhase::Failed => DownloadResponse::DownloadCancelled(reply),
        DownloadPhase::Pending | DownloadPhase::Downloading | DownloadPhase::Finalizing => {
            DownloadResponse::DownloadStatusResult(reply)
        }
    }
}

pub(super) fn refusal(message: impl Into<String>) -> DownloadResponse {
    DownloadResponse::Error(ErrorMessage { message: message.into() })
}

/// Returns true if a download in this phase has ended.
#[must_use]
pub const fn is_over(phase: DownloadPhase) -> bool {
    matches!(phase, DownloadPhase::Completed | DownloadPhase::Cancelled | DownloadPhase::Failed)
}

#[cfg(test)]
mod tests {
    use ipc_model::download::{DownloadAttach, DownloadWait};

    use super::*;

    fn status(phase: DownloadPhase) -> DownloadStatus {
        DownloadStatus {
            phase,
            total_bytes: None,
            downloaded_bytes: 0,
            percentage: None,
            active_clients: 1,
            destination: "/d".into(),
            source_url: "http://s/".to_owned(),
            error: None,
        }
    }

    #[test]
    fn a_request_about_a_download_needs_one_and_a_second_download_is_refused() {
        let wait = DownloadRequest::DownloadWait(DownloadWait { timeout_ms: Some(5) });
        for request in [DownloadRequest::DownloadStatus, DownloadRequest::DownloadCancel, wait] {
            assert_eq!(step(request, None), Step::Answer(refusal(NOT_ATTACHED)));
        }
        let attach = || DownloadRequest::DownloadAttach(DownloadAttach::default());
        assert_eq!(step(attach(), None), Step::Attach(DownloadAttach::default()));
        let running = Some(status(DownloadPhase::Downloading));
        assert_eq!(step(attach(), running), Step::Answer(refusal(ALREADY_ATTACHED)));
    }

    #[test]
    fn a_wait_is_answered_at_once_when_there_is_nothing_to_wait_for() {
        use DownloadPhase::{Cancelled, Completed, Downloading, Failed, Finalizing, Pending};
        let wait = || DownloadRequest::DownloadWait(DownloadWait { timeout_ms: Some(5) });
        for phase in [Pending, Downloading, Finalizing] {
            assert_eq!(step(wait(), Some(status(phase))), Step::Wait(Some(Duration::from_millis(5))));
            assert!(matches!(waited(status(phase)), DownloadResponse::DownloadStatusResult(_)));
        }
        for phase in [Completed, Cancelled, Failed] {
            assert_eq!(step(wait(), Some(status(phase))), Step::Answer(waited(status(phase))));
        }
        assert!(matches!(waited(status(Completed)), DownloadResponse::DownloadFinished(_)));
        assert!(matches!(waited(status(Failed)), DownloadResponse::DownloadCancelled(_)));
        assert!(matches!(waited(status(Cancelled)), DownloadResponse::DownloadCancelled(_)));
    }
}
