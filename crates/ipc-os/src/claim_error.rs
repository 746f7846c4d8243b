//! Errors of claiming and binding an endpoint.

use std::{io, path::PathBuf};

use thiserror::Error;

use crate::{DirectoryError, Endpoint, EndpointError, FileKind, LifetimeError, Pid, io_cause, io_kind_or};

/// A failed claim. Nothing at the socket's path was touched.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClaimError {
    /// The endpoint's name cannot be used on this platform.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// A directory is not safe to use.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// Another daemon holds the endpoint.
    #[error("another daemon{} holds {endpoint}", process(.by))]
    Held {
        /// The endpoint.
        endpoint: Endpoint,
        /// The holder, if it is known.
        by: Option<Pid>,
    },
    /// A lifetime lock cannot be used.
    #[error(transparent)]
    Lifetime(#[from] LifetimeError),
}

impl ClaimError {
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
            Self::Endpoint(_) => io::ErrorKind::InvalidInput,
            Self::Held { .. } => io::ErrorKind::AddrInUse,
            Self::Directory(_) | Self::Lifetime(_) => io_kind_or(self, io::ErrorKind::PermissionDenied),
        }
    }
}

/// A claimed endpoint could not be bound.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BindError {
    /// A daemon without locks listens there.
    ///
    /// It is never taken over, even if it does not answer.
    #[error("a daemon{} listens at {endpoint}", process(.by))]
    InUse {
        /// The endpoint.
        endpoint: Endpoint,
        /// The listener, if it is known.
        by: Option<Pid>,
    },
    /// Something that is not a socket is at the path; it was kept.
    #[error("{} is {kind}, not a socket", path.display())]
    NotASocket {
        /// The path.
        path: PathBuf,
        /// The kind of the file that is there.
        kind: FileKind,
    },
    /// Another user's socket is at the path; it was kept.
    #[error("the socket {} belongs to user {owner}, not to user {expected}", path.display())]
    Foreign {
        /// The path.
        path: PathBuf,
        /// The socket's owner.
        owner: u32,
        /// Our effective user id.
        expected: u32,
    },
    /// Another user's process made the pipe first. On Windows only.
    #[error("the pipe {endpoint} belongs to user {found}, not to user {expected}")]
    ForeignServer {
        /// The endpoint.
        endpoint: Endpoint,
        /// Our security identifier.
        expected: String,
        /// The security identifier of the process that serves the pipe.
        found: String,
    },
    /// The system does not let us create or replace the socket.
    #[error("no permission to listen at {endpoint}")]
    PermissionDenied {
        /// The endpoint.
        endpoint: Endpoint,
        /// The system's error.
        source: io::Error,
    },
    /// There is no tokio runtime on this thread to register the listener with.
    #[error("an endpoint must be bound within a tokio runtime")]
    NoRuntime,
    /// Another error.
    #[error("cannot listen at {endpoint}")]
    Io {
        /// The endpoint.
        endpoint: Endpoint,
        /// The system's error.
        source: io::Error,
    },
}

impl BindError {
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
            Self::InUse { .. } => io::ErrorKind::AddrInUse,
            Self::NotASocket { .. } => io::ErrorKind::AlreadyExists,
            Self::Foreign { .. } | Self::ForeignServer { .. } | Self::PermissionDenied { .. } => {
                io::ErrorKind::PermissionDenied
            }
            Self::NoRuntime => io::ErrorKind::Unsupported,
            Self::Io { source, .. } => source.kind(),
        }
    }
}

fn process(pid: &Option<Pid>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (process {pid})"))
}
