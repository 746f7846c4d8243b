//! Writing frames.

use std::future::Future as _;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::Buf as _;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use wire_frame::Pieces;

/// The least length of a byte string for which another write costs less than an unaligned copy.
const APART_FROM: usize = 256 * 1024;

/// Bytes of a line of the processor's cache.
const LINE: usize = 64;

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
    match head_len(pieces).checked_sub(written) {
        None | Some(0) => pin!(stream.write_buf(&mut unsent)).poll(cx),
        Some(head) => pin!(stream.write_buf(&mut unsent.take(head))).poll(cx),
    }
}

/// Returns the number of bytes to write first, so that the rest of a large frame is in step with memory.
///
/// The kernel copies a write into whole pages. Behind a head of odd length each line of a byte string would
/// go to two lines of a page, which takes half as long again.
fn head_len(pieces: &Pieces) -> usize {
    match pieces.first_shared() {
        Some((before, bytes)) if bytes.len() >= APART_FROM => {
            before + bytes.as_ptr().align_offset(LINE).min(bytes.len())
        }
        _ => 0,
    }
}
