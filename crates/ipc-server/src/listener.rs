//! A listener whose connections carry messages.

use std::io;
use std::path::Path;

use ipc_os::{AcceptError, BindError, Claim, ClaimError, Listener};
use ipc_os::{DirPolicy, Endpoint, io_cause};
use thiserror::Error;

use ipc_connection::IpcConnection;

/// A listener that owns its endpoint.
///
/// It is for programs that send and receive single messages; daemons use [`crate::Server`]. When it is dropped,
/// it removes the socket, and a listener without a lock file removes every file that it made.
#[derive(Debug)]
pub struct IpcListener {
    listener: Listener,
    /// Taken when the listener is dropped.
    claim: Option<Claim>,
    keeps_locks: bool,
}

/// Listening at an endpoint failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ListenError {
    /// Another process owns the endpoint, or its directory is not safe.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// Binding the socket failed.
    #[error(transparent)]
    Bind(#[from] BindError),
}

impl ListenError {
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
            Self::Claim(error) => error.kind(),
            Self::Bind(error) => error.kind(),
        }
    }
}

impl IpcListener {
    /// Claims `endpoint` and listens at it, without a pid lock file.
    ///
    /// Call it within a tokio runtime that has I/O enabled.
    ///
    /// # Errors
    ///
    /// [`ListenError`]. A file at the path stays in place unless it is a socket without a server.
    pub fn bind(endpoint: impl Into<Endpoint>) -> Result<Self, ListenError> {
        Self::of(Claim::of_endpoint(&endpoint.into(), DirPolicy::Shared)?, false)
    }

    /// Claims `endpoint` and listens at it, as the daemon with this pid lock file.
    ///
    /// The lock file names this process while the listener lives. The directory of the lock file must belong
    /// to this user only (0700); a missing directory is made so.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind).
    pub fn bind_with_lock_file(endpoint: impl Into<Endpoint>, lock_file: &Path) -> Result<Self, ListenError> {
        Self::of(Claim::take(&endpoint.into(), lock_file, DirPolicy::Shared)?, true)
    }

    fn of(mut claim: Claim, keeps_locks: bool) -> Result<Self, ListenError> {
        match claim.bind() {
            Ok(listener) => Ok(Self { listener, claim: Some(claim), keeps_locks }),
            Err(error) => {
                end(claim, keeps_locks);
                Err(error.into())
            }
        }
    }

    /// Waits for the next connection of this user.
    ///
    /// # Errors
    ///
    /// [`AcceptError`]. The caller may accept again after a peer of another user and after a shortage of
    /// file descriptors; see [`AcceptError::is_transient`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no connection is lost.
    pub async fn accept(&self) -> Result<IpcConnection, AcceptError> {
        self.listener.accept().await.map(IpcConnection::new)
    }
}

impl Drop for IpcListener {
    fn drop(&mut self) {
        if let Some(claim) = self.claim.take() {
            end(claim, self.keeps_locks);
        }
    }
}

/// Lets the claim go. The next claim of the endpoint replaces whatever could not be removed.
fn end(claim: Claim, keeps_locks: bool) {
    if keeps_locks {
        drop(claim);
    } else {
        let _ = claim.release_without_trace();
    }
}
