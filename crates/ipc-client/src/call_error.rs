//! What can go wrong with a call, sorted by what the daemon may have done.

use ipc_connection::IpcError;
use ipc_model::{Backpressure, RequestKind, Response, ResponseKind};
use thiserror::Error;
use wire_dispatch::{Lane, mismatch};

/// A call did not get the answer it asked for.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CallError {
    /// The request did not reach the daemon, or is harmless to send again.
    #[error(transparent)]
    Ipc(#[from] IpcError),
    /// The daemon may have acted on the request, and its answer is lost. It was not sent again.
    #[error("it is not known whether the daemon acted on {request}")]
    OutcomeUnknown {
        /// What was asked.
        request: RequestKind,
        /// How the answer was lost.
        source: IpcError,
    },
    /// The daemon is of a release that does not serve our wire. It did not act on the request.
    #[error("the daemon does not serve {ours}: {text}")]
    VersionRefused {
        /// The lane that we spoke.
        ours: Lane,
        /// What the daemon says.
        text: String,
    },
    /// The daemon did not do what was asked, and says why.
    #[error("the daemon refused {request}: {message}")]
    Refused {
        /// What was asked.
        request: RequestKind,
        /// What the daemon says.
        message: String,
    },
    /// The daemon is over its limits and did not act on the request.
    #[error("the daemon is busy: {} (ask again in {} ms)", .0.reason, .0.retry_after_ms)]
    Busy(Backpressure),
    /// The daemon answered something else.
    #[error("the daemon answered {request} with {answer}")]
    Unexpected {
        /// What was asked.
        request: RequestKind,
        /// What was answered.
        answer: ResponseKind,
    },
}

impl CallError {
    /// Returns what an answer stands for that is not the one that was asked for.
    ///
    /// `asked` is the request, and `ours` the lane that it was sent on.
    #[must_use]
    pub fn of_answer(asked: RequestKind, ours: Lane, answer: Response) -> Self {
        match answer {
            Response::Error(error) if mismatch::is_refusal(&error.message) => {
                Self::VersionRefused { ours, text: error.message }
            }
            Response::Error(error) => Self::Refused { request: asked, message: error.message },
            Response::Backpressure(pressure) => Self::Busy(pressure),
            other => Self::Unexpected { request: asked, answer: other.kind() },
        }
    }

    /// Whether nobody listens at the endpoint.
    #[must_use]
    pub fn is_no_daemon(&self) -> bool {
        matches!(self, Self::Ipc(error) if error.is_no_daemon())
    }

    /// Whether the same request may be sent again at once, on a new connection.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Ipc(error) => {
                error.is_disconnect() || error.is_timeout() || matches!(error, IpcError::Consumed)
            }
            Self::Busy(_) => true,
            Self::OutcomeUnknown { .. }
            | Self::VersionRefused { .. }
            | Self::Refused { .. }
            | Self::Unexpected { .. } => false,
        }
    }
}
