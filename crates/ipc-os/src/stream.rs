//! The asynchronous connection, the same type on every platform.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use ipc_path::Platform;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    ConnectError, Endpoint, Handed, Peer,
    connect::{Attempts, ours},
    os,
};

/// A connection between a client and a daemon of the same user.
///
/// Dropping it closes the connection. Reads and writes have no timeout of their own.
#[derive(Debug)]
pub struct Stream {
    io: os::AsyncIo,
    peer: Peer,
}

impl Stream {
    /// Connects, and checks the listener's user before anything can be sent.
    ///
    /// Only a busy daemon is tried again, with growing jittered pauses until `deadline`; every other failure
    /// is returned at once. One attempt is made even if `deadline` has passed. Call it within a tokio runtime
    /// that has I/O and time enabled.
    ///
    /// # Errors
    ///
    /// [`ConnectError`], sorted by cause.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes its connection; the daemon may see a connection without a request.
    pub async fn connect(endpoint: &Endpoint, deadline: Instant) -> Result<Self, ConnectError> {
        endpoint.check(Platform::CURRENT)?;
        let mut attempts = Attempts::until(deadline);
        loop {
            match os::dial_async(endpoint).await {
                Ok(io) => return Self::to_ours(io, endpoint),
                Err(error) => {
                    let nap = attempts.after(endpoint, os::failure(endpoint, error))?;
                    tokio::time::sleep(nap).await;
                }
            }
        }
    }

    /// Takes over a connection to `endpoint`, and checks the listener's user.
    ///
    /// Another library made the connection. Call it within a tokio runtime that has I/O enabled.
    ///
    /// # Errors
    ///
    /// [`ConnectError::ForeignPeer`], or [`ConnectError::Io`].
    pub fn of_handed(handed: Handed, endpoint: &Endpoint) -> Result<Self, ConnectError> {
        let io = os::async_of(handed.0)
            .map_err(|source| ConnectError::Io { endpoint: endpoint.clone(), source })?;
        Self::to_ours(io, endpoint)
    }

    /// Returns the process and user at the other end.
    #[must_use]
    #[inline]
    pub const fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Returns when the peer has closed both directions of the connection.
    ///
    /// Reads nothing. While there are unread bytes, or while the peer only stopped sending, it polls four
    /// times a second. On Windows it never returns.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub async fn hung_up(&mut self) {
        const LOOK: Duration = Duration::from_millis(250);
        loop {
            // A connection on which a wait fails is gone.
            if os::readable(&mut self.io).await.is_err() || os::has_hung_up(&self.io).await {
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    pub(crate) const fn new(io: os::AsyncIo, peer: Peer) -> Self {
        Self { io, peer }
    }

    fn to_ours(io: os::AsyncIo, endpoint: &Endpoint) -> Result<Self, ConnectError> {
        let peer = ours(&io, endpoint)?;
        Ok(Self { io, peer })
    }
}

impl AsyncRead for Stream {
    #[inline]
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Stream {
    #[inline]
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    #[inline]
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    #[inline]
    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    #[inline]
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
