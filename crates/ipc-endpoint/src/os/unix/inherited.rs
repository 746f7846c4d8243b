//! A listener that somebody else bound.

use std::{io, os::unix::net::UnixListener};

use super::AsyncListener;
use crate::Listener;

impl Listener {
    /// Takes over a listening socket, as a service manager or a test hands it on.
    ///
    /// Its path, mode and locks are the business of whoever bound it; peers are checked as everywhere. Call
    /// it within a tokio runtime that has I/O enabled. Unix only.
    ///
    /// # Errors
    ///
    /// What the system said when the socket was made non-blocking or registered.
    pub fn from_std(listener: UnixListener) -> io::Result<Self> {
        AsyncListener::new(listener).map(Self::new)
    }
}
