//! A listener whose connections carry messages.

use std::path::Path;

use ipc_os::{AcceptError, BindError, Claim, ClaimError, Listener};
use ipc_os::{DirPolicy, Endpoint};
use thiserror::Error;

use ipc_connection::IpcConnection;

/// A listener that owns its endpoint.
///
/// It is for programs that send and receive single messages; daemons use [`crate::Server`].
#[derive(Debug)]
pub struct IpcListener {
    listener: Listener,
    // Dropped last: the claim removes the socket and releases the lock.
    _claim: Claim,
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

impl IpcListener {
    /// Claims `endpoint` and listens at it.
    ///
    /// The lock file names this process while the listener lives. The directory of the lock file must belong
    /// to this user only (0700); a missing directory is made so.
    ///
    /// # Errors
    ///
    /// [`ListenError`]. A file at the path stays in place unless it is a socket without a server.
    pub fn bind(endpoint: &Endpoint, lock_file: &Path) -> Result<Self, ListenError> {
        let mut claim = Claim::take(endpoint, lock_file, DirPolicy::Shared)?;
        let listener = claim.bind()?;
        Ok(Self { listener, _claim: claim })
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
