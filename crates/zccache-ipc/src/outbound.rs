//! Writing frames.

use std::io;

use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use wire_frame::Pieces;

/// Writes all of `pieces`: with one write where they fit, and without a copy of what they share.
pub(crate) async fn write<S: AsyncWrite + Unpin>(stream: &mut S, pieces: &Pieces) -> io::Result<()> {
    match pieces.as_slice() {
        Some(slice) => stream.write_all(slice).await?,
        None => stream.write_all_buf(&mut pieces.unsent()).await?,
    }
    stream.flush().await
}
