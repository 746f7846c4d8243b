//! Accepts connections that carry messages.

use std::path::Path;

use ipc_os::{AcceptError, BindError, Claim, ClaimError, Listener};
use ipc_os::{DirPolicy, Endpoint};
use thiserror::Error;

use ipc_connection::IpcConnection;

/// Listens at an endpoint, as its only owner.
///
/// [`crate::Server`] is built on the parts below; this is for programs that speak message by message.
#[derive(Debug)]
pub struct IpcListener {
    listener: Listener,
    // Holds the endpoint: dropped last, it removes the socket and releases the lock.
    _claim: Claim,
}

/// An endpoint could not be listened at.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ListenError {
    /// Another process owns it, or its directory is not safe.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// What is at the path is in the way.
    #[error(transparent)]
    Bind(#[from] BindError),
}

impl IpcListener {
    /// Claims `endpoint` and listens there.
    ///
    /// The lock file names this process for as long as the listener lives; its directory must be, or is
    /// made, ours alone (0700).
    ///
    /// # Errors
    ///
    /// [`ListenError`]; whatever is at the path is left alone unless it is a socket that nobody serves.
    pub fn bind(endpoint: &Endpoint, lock_file: &Path) -> Result<Self, ListenError> {
        let mut claim = Claim::take(endpoint, lock_file, DirPolicy::Shared)?;
        let listener = claim.bind()?;
        Ok(Self { listener, _claim: claim })
    }

    /// Waits for the next connection, of our own user.
    ///
    /// # Errors
    ///
    /// [`AcceptError`]; a foreign peer and a shortage of descriptors pass, see
    /// [`AcceptError::is_transient`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no connection is lost.
    pub async fn accept(&self) -> Result<IpcConnection, AcceptError> {
        self.listener.accept().await.map(IpcConnection::new)
    }
}
