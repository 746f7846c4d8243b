//! The errors of taking over an inherited listener.

use std::{io, path::PathBuf};

use thiserror::Error;

use crate::Endpoint;

/// An announced descriptor was not taken over; it is unchanged.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InheritedError {
    /// The text is not a number, or is the number of a standard stream.
    #[error("{0:?} is not the number of a descriptor above 2")]
    Number(String),
    /// There is no such descriptor, or it is not a listening Unix socket.
    #[error("descriptor {number} is not a listening socket")]
    NotAListener {
        /// The descriptor.
        number: i32,
        /// The system's error, if there was one.
        source: Option<io::Error>,
    },
    /// The socket listens at another path.
    #[error("descriptor {number} listens at {}, not at {endpoint}", found.display())]
    Elsewhere {
        /// The descriptor.
        number: i32,
        /// The path at which it listens.
        found: PathBuf,
        /// The expected endpoint.
        endpoint: Endpoint,
    },
    /// The endpoint's path no longer names a socket of this user.
    #[error("{endpoint} is not a socket of this user")]
    NotOurs {
        /// The endpoint.
        endpoint: Endpoint,
        /// The system's error, if there was one.
        source: Option<io::Error>,
    },
    /// The descriptor cannot be prepared for use.
    #[error("descriptor {number} cannot be prepared for use")]
    Io {
        /// The descriptor.
        number: i32,
        /// The system's error.
        source: io::Error,
    },
    /// There is no tokio runtime on this thread to register the listener with.
    #[error("a listener must be taken over within a tokio runtime")]
    NoRuntime,
    /// This platform cannot pass on listeners.
    #[error("a listener cannot be inherited on this platform")]
    Unsupported,
}
