//! The accepting side.

use std::io;

use thiserror::Error;

use crate::{Stream, os};

/// A bound endpoint that admits connections of its own user only: of the one that this process acts as when
/// the listener is made.
///
/// Comes from [`Claim::bind`](crate::Claim::bind). Dropping it stops listening; what stays on disk is the
/// claim's.
#[derive(Debug)]
pub struct Listener {
    io: os::AsyncListener,
    /// Our effective user id when it was made. Its clients see that one, whatever this process becomes.
    owner: Option<u32>,
}

/// A connection that was not accepted.
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
    /// The peer was gone before it could be looked at.
    #[error("a peer left before it was accepted")]
    Gone(#[source] io::Error),
    /// The process or the machine is short of descriptors or memory.
    #[error("out of descriptors or memory for another connection")]
    Exhausted(#[source] io::Error),
    /// The listener does not work any more.
    #[error("cannot accept connections")]
    Io(#[source] io::Error),
}

impl AcceptError {
    /// Whether a shortage stood in the way that passes: wait a little before the next accept, because the
    /// connection is still queued and accepting again at once would spin.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Exhausted(_))
    }

    /// Whether the listener is of no more use.
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
    /// [`AcceptError`]; unless it [`is_fatal`](AcceptError::is_fatal), the listener goes on.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no connection: one is either still queued or was returned.
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
