//! What can go wrong between a client and a daemon, sorted by whose fault it is.

use std::io;
use std::time::Duration;

use ipc_model::{Backpressure, RequestKind, Response, ResponseKind};
use ipc_os::ConnectError;
use thiserror::Error;
use wire_dispatch::{CutError, DecodeError, EncodeError, Ids, Lane, Wires, mismatch};
use wire_frame::Version;

/// A connection could not be made, or could not carry a message.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IpcError {
    /// No connection: nobody there, busy, or not ours to talk to.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Our message cannot be sent. Nothing was, and the connection is as usable as before.
    #[error("cannot send the message")]
    Encode(#[from] EncodeError),
    /// The peer's bytes are no message.
    #[error("cannot read the peer's message")]
    Decode(#[source] DecodeError),
    /// The peer's frame is of a version that this connection does not speak.
    #[error("the peer speaks {received} and this connection {expected}")]
    Version {
        /// The newest version that this connection speaks.
        expected: Version,
        /// The version of the frame that came.
        received: Version,
    },
    /// The reply belongs to another request.
    #[error("the reply carries the ids {received:?}, and the request had {expected:?}")]
    ForeignReply {
        /// The ids of the request.
        expected: Ids,
        /// The ids of the reply.
        received: Ids,
    },
    /// The peer closed the connection in the middle of a frame, or without answering.
    #[error("the peer closed the connection")]
    Closed,
    /// No complete message came in time.
    #[error("no message within {0:?}")]
    TimedOut(Duration),
    /// An earlier call timed out, was cancelled or failed, so a reply on this connection could belong
    /// to it. Connect again.
    #[error("an earlier call has used this connection up")]
    Consumed,
    /// The operating system failed.
    #[error("the connection failed")]
    Io(#[from] io::Error),
}

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

impl IpcError {
    /// The error of a connection that speaks `wires` and received what is no message of theirs.
    pub(crate) fn of_decoding(error: DecodeError, wires: Wires) -> Self {
        match error {
            DecodeError::Cut(CutError::Version { received }) => {
                Self::Version { expected: wires.newest(), received }
            }
            other => Self::Decode(other),
        }
    }

    /// Whether nobody listens at the endpoint.
    #[must_use]
    pub fn is_no_daemon(&self) -> bool {
        matches!(self, Self::Connect(error) if error.is_no_daemon())
    }

    /// Whether the peer was there but did not answer in time.
    #[must_use]
    pub const fn is_timeout(&self) -> bool {
        matches!(self, Self::TimedOut(_))
    }

    /// Whether the system broke the connection off, as it does when a daemon ends with peers in its backlog.
    pub(crate) fn is_reset(&self) -> bool {
        matches!(self, Self::Io(_)) && self.is_disconnect()
    }

    /// Whether the connection ended before the answer came.
    #[must_use]
    pub fn is_disconnect(&self) -> bool {
        match self {
            Self::Closed => true,
            Self::Io(error) => matches!(
                error.kind(),
                io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof
            ),
            _ => false,
        }
    }
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
