//! Reads a tool's output, up to a bound over both streams.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::ToolError;

/// The size of one read, in bytes.
const CHUNK: usize = 16 * 1024;

/// The bytes that both streams may still bring.
#[derive(Debug)]
pub(super) struct Budget {
    limit: usize,
    left: AtomicUsize,
}

impl Budget {
    pub(super) const fn new(limit: usize) -> Self {
        Self { limit, left: AtomicUsize::new(limit) }
    }

    fn take(&self, bytes: usize) -> Result<(), ToolError> {
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes))
            .map_err(|_| ToolError::TooMuchOutput { limit: self.limit })
            .map(drop)
    }
}

/// Reads `stream` to its end.
pub(super) async fn read(
    stream: Option<impl AsyncRead + Unpin>,
    into: &mut Vec<u8>,
    budget: &Budget,
) -> Result<(), ToolError> {
    let Some(mut stream) = stream else { return Ok(()) };
    loop {
        if into.capacity() - into.len() < CHUNK / 2 {
            into.reserve(CHUNK);
        }
        match stream.read_buf(into).await {
            Ok(0) => return Ok(()),
            Ok(read) => budget.take(read)?,
            Err(error) => return Err(ToolError::Output(error)),
        }
    }
}
