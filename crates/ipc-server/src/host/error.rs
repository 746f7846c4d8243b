//! Errors of a host.

use std::io;

use ipc_os::{BindError, ClaimError, Endpoint, Pid};
use thiserror::Error;

use crate::ServeError;

/// A daemon failed to start or to go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HostError {
    /// Another daemon holds the endpoint, because it started first.
    #[error("another daemon{} has {endpoint}", process(.by))]
    Lost {
        /// The endpoint.
        endpoint: Endpoint,
        /// Process id of the other daemon, if known.
        by: Option<Pid>,
    },
    /// Claiming the endpoint failed.
    #[error(transparent)]
    Claim(ClaimError),
    /// Binding the socket failed.
    #[error(transparent)]
    Bind(BindError),
    /// The server failed.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The server panicked.
    #[error("the server failed an assertion")]
    Panicked,
    /// Another program removed the lock files, and another daemon took the locks.
    #[error("the lock files of {0} were removed, and another daemon has them")]
    LocksLost(Endpoint),
}

impl HostError {
    /// Returns the error of the operating system behind this one, if there is one.
    #[must_use]
    pub fn io(&self) -> Option<&io::Error> {
        ipc_os::io_cause(self)
    }

    /// Returns the kind of error of the standard library that is nearest.
    ///
    /// It is the kind of [`io`](Self::io) unless the variant says more.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Lost { .. } | Self::LocksLost(_) => io::ErrorKind::AddrInUse,
            Self::Claim(error) => error.kind(),
            Self::Bind(error) => error.kind(),
            Self::Serve(error) => error.kind(),
            Self::Panicked => io::ErrorKind::Other,
        }
    }
}

fn process(pid: &Option<Pid>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (process {pid})"))
}
