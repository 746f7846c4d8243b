//! The asynchronous connection: either end of a pipe.

use std::{
    io,
    os::windows::io::{AsRawHandle, RawHandle},
    pin::Pin,
    ptr,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::windows::named_pipe::{NamedPipeClient, NamedPipeServer},
};
use windows_sys::Win32::{
    Foundation::{ERROR_BROKEN_PIPE, ERROR_NO_DATA, ERROR_PIPE_NOT_CONNECTED},
    System::Pipes::PeekNamedPipe,
};

use super::dial::raw;

/// A connected pipe. Dropping it does not wait for the peer; the peer can still read the bytes that were written.
#[derive(Debug)]
pub(crate) enum AsyncIo {
    /// The end that connected.
    Client(NamedPipeClient),
    /// The end that listened.
    Server(NamedPipeServer),
}

/// The most bytes of one write: tokio copies them, and keeps the copy until the peer has read them.
const LARGEST_WRITE: usize = 64 * 1024;

impl AsyncRead for AsyncIo {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Client(pipe) => Pin::new(pipe).poll_read(cx, buf),
            Self::Server(pipe) => Pin::new(pipe).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for AsyncIo {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let buf = &buf[..buf.len().min(LARGEST_WRITE)];
        match self.get_mut() {
            Self::Client(pipe) => Pin::new(pipe).poll_write(cx, buf),
            Self::Server(pipe) => Pin::new(pipe).poll_write(cx, buf),
        }
    }

    /// Does not flush: `FlushFileBuffers` would wait until the peer has read everything.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Does nothing: a pipe cannot be closed for one direction.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsRawHandle for AsyncIo {
    fn as_raw_handle(&self) -> RawHandle {
        match self {
            Self::Client(pipe) => pipe.as_raw_handle(),
            Self::Server(pipe) => pipe.as_raw_handle(),
        }
    }
}

/// Waits until there are bytes to read, or the peer has closed.
pub(crate) async fn readable(io: &mut AsyncIo) -> io::Result<()> {
    match io {
        AsyncIo::Client(pipe) => pipe.ready(Interest::READABLE).await.map(drop),
        AsyncIo::Server(pipe) => pipe.ready(Interest::READABLE).await.map(drop),
    }
}

/// Returns true if the peer has closed the pipe; reads nothing.
#[expect(clippy::unused_async, reason = "other systems wait for a moment")]
pub(crate) async fn has_hung_up(io: &AsyncIo) -> bool {
    let null = ptr::null_mut();
    // SAFETY: the handle is open as long as `io` lives, and every result pointer is null.
    let peeked = unsafe {
        PeekNamedPipe(io.as_raw_handle(), null, 0, ptr::null_mut(), ptr::null_mut(), ptr::null_mut())
    };
    peeked == 0
        && matches!(
            raw(&io::Error::last_os_error()),
            Some(ERROR_BROKEN_PIPE | ERROR_NO_DATA | ERROR_PIPE_NOT_CONNECTED)
        )
}
