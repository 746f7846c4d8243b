//! What can go wrong on a connection, sorted by whose fault it is.

use std::io;
use std::time::Duration;

use ipc_os::ConnectError;
use thiserror::Error;
use wire_dispatch::{CutError, DecodeError, EncodeError, Ids, Wires};
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

impl IpcError {
    /// The error of a connection that speaks `wires` and received what is no message of theirs.
    pub fn of_decoding(error: DecodeError, wires: Wires) -> Self {
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
    pub fn is_reset(&self) -> bool {
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
