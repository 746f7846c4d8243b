//! Why a listener that somebody else bound was not taken over.

use std::{io, path::PathBuf};

use thiserror::Error;

use crate::Endpoint;

/// A descriptor that was announced as our listener and was not taken over. It was left as it is.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InheritedError {
    /// The number is none, or that of a standard stream.
    #[error("{0:?} is not the number of a descriptor above 2")]
    Number(String),
    /// There is no such descriptor, or it is no listening Unix socket.
    #[error("descriptor {number} is not a listening socket")]
    NotAListener {
        /// The descriptor.
        number: i32,
        /// What the system said, where it said something.
        source: Option<io::Error>,
    },
    /// The socket listens somewhere else.
    #[error("descriptor {number} listens at {}, not at {endpoint}", found.display())]
    Elsewhere {
        /// The descriptor.
        number: i32,
        /// Where it listens.
        found: PathBuf,
        /// Where it should.
        endpoint: Endpoint,
    },
    /// The endpoint's path does not name a socket of this user any more.
    #[error("{endpoint} is not a socket of this user")]
    NotOurs {
        /// The endpoint.
        endpoint: Endpoint,
        /// What the system said, where it said something.
        source: Option<io::Error>,
    },
    /// The descriptor cannot be made ready for use.
    #[error("descriptor {number} cannot be listened with")]
    Io {
        /// The descriptor.
        number: i32,
        /// What the system said.
        source: io::Error,
    },
    /// There is no tokio runtime on this thread to register the listener with.
    #[error("a listener is taken over within a tokio runtime")]
    NoRuntime,
    /// Listeners are not passed on on this platform.
    #[error("a listener cannot be inherited on this platform")]
    Unsupported,
}
