//! Why a daemon's answer is not known.

use std::io;

use ipc_os::ConnectError;
use thiserror::Error;

use crate::identity::IdentityError;

/// An exchange that brought no identity.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// No connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// It took the connection, and did not answer in time.
    #[error("no answer in time")]
    Late,
    /// It closed the connection, at once or in the middle of its answer.
    #[error("the connection was closed after {received} bytes of an answer")]
    Closed {
        /// Bytes that had come.
        received: usize,
    },
    /// The connection failed.
    #[error("the connection failed")]
    Io(#[source] io::Error),
    /// It answered, and not as a probe is answered: a daemon that knows no probes, or no daemon.
    #[error("what it answered is no answer to a probe")]
    Answer(#[source] Answer),
    /// There are no random numbers to ask with.
    #[error("the system gave no random numbers")]
    Random(#[source] io::Error),
}

/// What is wrong with an answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Answer {
    /// It is not in an envelope.
    #[error("it starts with the byte {0}, and an envelope with 1")]
    Framing(u8),
    /// It is longer than the answer to a probe can be.
    #[error("it announces {0} bytes")]
    TooLong(u32),
    /// The envelope is not protobuf.
    #[error("its envelope is not protobuf")]
    Envelope(#[source] prost::DecodeError),
    /// The envelope is of another version, kind, protocol or encoding, or answers another request.
    #[error("the {0} of its envelope is another")]
    Header(&'static str),
    /// It does not repeat the random number.
    #[error("it does not repeat what was sent")]
    Nonce,
    /// The identity in it is none.
    #[error("its identity describes no process")]
    Identity(#[source] IdentityError),
}
