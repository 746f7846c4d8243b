//! Writing frames.

use std::future::Future as _;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::Buf as _;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use wire_frame::Pieces;

/// Writes the rest of `pieces` after the first `written` bytes, and flushes.
///
/// One write suffices if the bytes fit into the socket's buffer. Shared pieces are not copied.
pub fn poll_write<S: AsyncWrite + Unpin>(
    stream: &mut S,
    pieces: &Pieces,
    written: &mut usize,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    while *written < pieces.len() {
        match ready!(poll_write_some(stream, pieces, *written, cx))? {
            0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            count => *written += count,
        }
    }
    Pin::new(stream).poll_flush(cx)
}

/// Writes once from `pieces` after `written` bytes; returns the byte count.
pub fn poll_write_some<S: AsyncWrite + Unpin>(
    stream: &mut S,
    pieces: &Pieces,
    written: usize,
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    if let Some(slice) = pieces.as_slice() {
        return Pin::new(stream).poll_write(cx, &slice[written..]);
    }
    let mut unsent = pieces.unsent();
    unsent.advance(written);
    pin!(stream.write_buf(&mut unsent)).poll(cx)
}
