//! Replies of a download daemon, by request and attached download.
//!
//! Rule: `docs/spec/download.md#conversation`.

use std::time::Duration;

use ipc_model::ErrorMessage;
use ipc_model::download::{
    DownloadAttached, DownloadPhase, DownloadRequest, DownloadResponse, DownloadStatus, DownloadStatusReply,
};

use super::Attached;

/// What the second download on one connection is refused with.
pub const ALREADY_ATTACHED: &str = "connection already attached to a download";

/// What a request about a download is refused with where there is none.
pub const NOT_ATTACHED: &str = "connection is not attached to a download";

/// What is to be done about a request.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// Answer this.
    Answer(DownloadResponse),
    /// Attach the download, then answer [`attached`].
    Attach(ipc_model::download::DownloadAttach),
    /// Tell how the daemon is.
    Describe,
    /// Wait for progress, at most so long, then answer [`waited`].
    Wait(Option<Duration>),
    /// Let the download go and answer this.
    Detach(DownloadResponse),
    /// Answer, then stop the server.
    ShutDown,
}

/// Returns what follows from `request` on a connection whose download, if any, stands at `status`.
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

/// Whether a download in this phase has nothing left to do.
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
    fn what_is_about_a_download_needs_one_and_a_second_one_is_refused() {
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
