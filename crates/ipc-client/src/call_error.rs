//! Errors of a call, sorted by their effect at the daemon.

use std::io;

use ipc_connection::IpcError;
use ipc_model::{Backpressure, RequestKind, Response, ResponseKind};
use ipc_os::io_cause;
use thiserror::Error;
use wire_dispatch::{Lane, mismatch};

/// A call did not get the expected answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CallError {
    /// The request did not reach the daemon, or the client may safely send it again.
    #[error(transparent)]
    Ipc(#[from] IpcError),
    /// The daemon may have acted on the request, and its answer is lost. The client did not send it again.
    #[error("it is not known whether the daemon acted on {request}")]
    OutcomeUnknown {
        /// The request.
        request: RequestKind,
        /// The failure that lost the answer.
        source: IpcError,
    },
    /// The daemon's release does not serve our wire. The daemon did not act on the request.
    #[error("the daemon does not serve {ours}: {text}")]
    VersionRefused {
        /// The lane of the request.
        ours: Lane,
        /// The daemon's text.
        text: String,
    },
    /// The daemon did not do the request, and gives a reason.
    #[error("the daemon refused {request}: {message}")]
    Refused {
        /// The request.
        request: RequestKind,
        /// The daemon's reason.
        message: String,
    },
    /// The daemon is over its limits and did not act on the request.
    #[error("the daemon is busy: {} (ask again in {} ms)", .0.reason, .0.retry_after_ms)]
    Busy(Backpressure),
    /// The daemon sent an answer that does not belong to the request.
    #[error("the daemon answered {request} with {answer}")]
    Unexpected {
        /// The request.
        request: RequestKind,
        /// The answer.
        answer: ResponseKind,
    },
}

impl CallError {
    /// Returns the error of the operating system behind this one, if there is one.
    #[must_use]
    pub fn io(&self) -> Option<&io::Error> {
        io_cause(self)
    }

    /// Returns the kind of error of the standard library that is nearest.
    ///
    /// It is the kind of [`io`](Self::io) unless the variant says more.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Ipc(error) | Self::OutcomeUnknown { source: error, .. } => error.kind(),
            Self::VersionRefused { .. } => io::ErrorKind::Unsupported,
            Self::Refused { .. } => io::ErrorKind::Other,
            Self::Busy(_) => io::ErrorKind::ResourceBusy,
            Self::Unexpected { .. } => io::ErrorKind::InvalidData,
        }
    }

    /// Converts an answer that does not belong to the request into an error.
    ///
    /// `asked` is the request, and `ours` is its lane.
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

    /// Returns true if no daemon listens at the endpoint.
    #[must_use]
    pub fn is_no_daemon(&self) -> bool {
        matches!(self, Self::Ipc(error) if error.is_no_daemon())
    }

    /// Returns true if the same request may be sent again at once.
    ///
    /// The caller sends it on a new connection.
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
