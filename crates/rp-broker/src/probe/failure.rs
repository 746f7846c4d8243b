//! Failures of a probe's exchange.

use std::io;

use ipc_os::{ConnectError, io_cause};
use thiserror::Error;

use crate::identity::IdentityError;

/// An exchange that brought no identity.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// Reading or writing failed.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The daemon took the connection and did not answer in time.
    #[error("no answer in time")]
    Late,
    /// The daemon closed the connection before the end of its answer.
    #[error("the connection was closed after {received} bytes of an answer")]
    Closed {
        /// Number of bytes that had arrived.
        received: usize,
    },
    /// Reading or writing failed.
    #[error("the connection failed")]
    Io(#[source] io::Error),
    /// The answer is not one of a probe: the daemon knows no probes, or it is no daemon.
    #[error("the answer is not the answer to a probe")]
    Answer(#[source] Answer),
    /// The system has no random numbers.
    #[error("the system gave no random numbers")]
    Random(#[source] io::Error),
}

impl ProbeError {
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
            Self::Late => io::ErrorKind::TimedOut,
            Self::Closed { .. } => io::ErrorKind::UnexpectedEof,
            Self::Answer(_) => io::ErrorKind::InvalidData,
            Self::Io(error) | Self::Random(error) => error.kind(),
        }
    }
}

/// The fault in an answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Answer {
    /// The first byte is not the framing byte.
    #[error("the first byte is {0}, not the framing byte 1")]
    Framing(u8),
    /// The answer is too long.
    #[error("the answer announces {0} bytes, which is too long")]
    TooLong(u32),
    /// The envelope is not protobuf.
    #[error("the envelope is not protobuf")]
    Envelope(#[source] prost::DecodeError),
    /// The envelope has another version, kind, protocol, encoding or request id.
    #[error("the envelope has another {0}")]
    Header(&'static str),
    /// The answer does not repeat the nonce.
    #[error("the answer does not repeat the nonce")]
    Nonce,
    /// The identity in the answer is invalid.
    #[error("the identity in the answer is invalid")]
    Identity(#[source] IdentityError),
}
