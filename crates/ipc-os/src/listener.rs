//! The server side of an endpoint.

use std::io;

use thiserror::Error;

use crate::{Stream, io_cause, os};

/// A bound endpoint that admits only connections of its own user.
///
/// That is the effective user of this process when the listener is made. It comes from
/// [`Claim::bind`](crate::Claim::bind). Dropping it stops listening; the claim removes the socket's file.
#[derive(Debug)]
pub struct Listener {
    io: os::AsyncListener,
    /// The effective user id at creation. Clients see this user, even if the process changes its user later.
    owner: Option<u32>,
}

/// A connection was not accepted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// Another user connected, and was turned away before a byte was read.
    #[error("a process of user {found} connected, and only user {expected} may")]
    ForeignPeer {
        /// Our effective user id.
        expected: u32,
        /// The peer's user id.
        found: u32,
    },
    /// The peer closed before it could be examined.
    #[error("a peer closed its connection before it was accepted")]
    Gone(#[source] io::Error),
    /// The process or the machine has too few descriptors or too little memory.
    #[error("out of descriptors or memory for another connection")]
    Exhausted(#[source] io::Error),
    /// The listener no longer works.
    #[error("cannot accept connections")]
    Io(#[source] io::Error),
}

impl AcceptError {
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
            Self::ForeignPeer { .. } => io::ErrorKind::PermissionDenied,
            Self::Gone(source) | Self::Exhausted(source) | Self::Io(source) => source.kind(),
        }
    }

    /// Returns true for a temporary shortage: wait a little before the next accept.
    ///
    /// The connection is still queued, and accepting again at once would spin.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Exhausted(_))
    }

    /// Returns true if the listener no longer works.
    #[must_use]
    pub const fn is_fatal(&self) -> bool {
        matches!(self, Self::Io(_))
    }
}

impl Listener {
    /// Waits for the next connection of our own user.
    ///
    /// # Errors
    ///
    /// [`AcceptError`]; unless it [`is_fatal`](AcceptError::is_fatal), the listener still works.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no connection: a connection is either still queued or was returned.
    pub async fn accept(&self) -> Result<Stream, AcceptError> {
        let io = self.io.accept().await.map_err(os::accept_failure)?;
        let peer = os::peer(&io).map_err(AcceptError::Gone)?;
        match peer.foreign_to(self.owner) {
            None => Ok(Stream::new(io, peer)),
            Some((expected, found)) => Err(AcceptError::ForeignPeer { expected, found }),
        }
    }

    pub(crate) fn new(io: os::AsyncListener) -> Self {
        Self { io, owner: os::our_uid() }
    }
}
