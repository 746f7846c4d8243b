//! Errors of a connection, by the side at fault.

use std::io;
use std::time::Duration;

use ipc_os::{ConnectError, io_cause};
use thiserror::Error;
use wire_dispatch::{CutError, DecodeError, EncodeError, Ids, Wires};
use wire_frame::Version;

/// Connecting, sending or receiving failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IpcError {
    /// Connecting failed: no listener, a full backlog, or an endpoint of another user.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The caller's message cannot be encoded. The connection sent nothing and stays usable.
    #[error("cannot send the message")]
    Encode(#[from] EncodeError),
    /// The peer's bytes are not a legal message.
    #[error("cannot read the peer's message")]
    Decode(#[source] DecodeError),
    /// The peer's frame has a version that this connection does not speak.
    #[error("the peer speaks {received} and this connection {expected}")]
    Version {
        /// The newest version that this connection speaks.
        expected: Version,
        /// The version of the peer's frame.
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
    /// The peer closed the connection inside a frame or before its reply.
    #[error("the peer closed the connection")]
    Closed,
    /// No complete message arrived within the timeout.
    #[error("no message within {:?}", ipc_os::rounded(*.0))]
    TimedOut(Duration),
    /// An earlier call timed out, was cancelled or failed.
    ///
    /// A reply on this connection could belong to the earlier call. Connect again.
    #[error("an earlier call consumed this connection")]
    Consumed,
    /// The operating system reported an error.
    #[error("the connection failed")]
    Io(#[from] io::Error),
}

impl IpcError {
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
            Self::Connect(error) => error.kind(),
            Self::Encode(_) => io::ErrorKind::InvalidInput,
            Self::Decode(_) | Self::Version { .. } | Self::ForeignReply { .. } => io::ErrorKind::InvalidData,
            Self::Closed => io::ErrorKind::UnexpectedEof,
            Self::TimedOut(_) => io::ErrorKind::TimedOut,
            Self::Consumed => io::ErrorKind::NotConnected,
            Self::Io(error) => error.kind(),
        }
    }

    /// Returns the error of a connection that speaks `wires` and failed to decode.
    pub fn of_decoding(error: DecodeError, wires: Wires) -> Self {
        match error {
            DecodeError::Cut(CutError::Version { received }) => {
                Self::Version { expected: wires.newest(), received }
            }
            other => Self::Decode(other),
        }
    }

    /// Returns true if no daemon listens at the endpoint.
    #[must_use]
    pub fn is_no_daemon(&self) -> bool {
        matches!(self, Self::Connect(error) if error.is_no_daemon())
    }

    /// Returns true if a connected peer did not answer in time.
    #[must_use]
    pub const fn is_timeout(&self) -> bool {
        matches!(self, Self::TimedOut(_))
    }

    /// Returns true if the system reset the connection.
    ///
    /// The system does so when a daemon exits while peers wait in its backlog.
    pub fn is_reset(&self) -> bool {
        matches!(self, Self::Io(_)) && self.is_disconnect()
    }

    /// Returns true if the connection ended before the answer arrived.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_error_is_found_behind_each_error() {
        let reset = || io::Error::from(io::ErrorKind::ConnectionReset);
        let check = |error: IpcError, kind, has_io: bool| {
            assert_eq!((error.kind(), error.io().is_some()), (kind, has_io), "{error:?}");
        };
        check(reset().into(), io::ErrorKind::ConnectionReset, true);
        let endpoint = || ipc_os::Endpoint::new("/x");
        let source = io::ErrorKind::NotFound.into();
        let missing = ConnectError::NoDaemon { endpoint: endpoint(), source };
        check(missing.into(), io::ErrorKind::NotFound, true);
        let source = io::ErrorKind::WouldBlock.into();
        let busy = ConnectError::Busy { endpoint: endpoint(), waited: Duration::ZERO, source };
        check(busy.into(), io::ErrorKind::TimedOut, true);
        check(IpcError::TimedOut(Duration::ZERO), io::ErrorKind::TimedOut, false);
        check(IpcError::Closed, io::ErrorKind::UnexpectedEof, false);
        check(IpcError::Consumed, io::ErrorKind::NotConnected, false);
    }
}
