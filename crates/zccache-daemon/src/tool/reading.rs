//! Reads a tool's output, up to a bound over both streams: small output in memory, the rest in a file.
//!
//! A tool writes at its own pace and nobody knows how much, so its output waits in a file until the tool has ended
//! and the server's budget has room for all of it.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::task::spawn_blocking;
use zccache_ipc::endpoint::unnamed_file;

use super::ToolError;

/// The first size of the buffer of a stream, in bytes.
const FIRST: usize = 4 * 1024;

/// The size at which a buffer goes to the file, in bytes.
const MOST: usize = 64 * 1024;

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

/// The output of a stream.
#[derive(Debug, Default)]
pub(super) struct Output {
    /// The bytes after those in the file.
    tail: Vec<u8>,
    file: Option<File>,
    in_file: usize,
    /// True while bytes are on their way to the file; a reader that is cancelled then has lost them.
    is_moving: bool,
    /// True once the file cannot be written: the tool succeeds without it, so memory takes the rest.
    has_no_room: bool,
}

impl Output {
    pub(super) const fn len(&self) -> usize {
        self.in_file + self.tail.len()
    }

    /// Makes room for more bytes: doubles the buffer, and writes a full one to a file in `directory`.
    async fn grow(&mut self, directory: &Path) -> io::Result<()> {
        if self.tail.capacity() < MOST || self.has_no_room {
            self.tail.reserve_exact(self.tail.capacity().max(FIRST));
            return Ok(());
        }
        let (bytes, file) = (std::mem::take(&mut self.tail), self.file.take());
        self.is_moving = true;
        let directory = directory.to_owned();
        // The disk may be slow, and the runtime's threads must not be.
        let written = spawn_blocking(move || {
            let mut file = file.or_else(|| unnamed_file(&directory).ok());
            let is_written = file.as_mut().is_some_and(|file| file.write_all(&bytes).is_ok());
            (file, bytes, is_written)
        });
        let (file, mut bytes, is_written) = written.await.map_err(io::Error::other)?;
        self.is_moving = false;
        if is_written {
            self.in_file += bytes.len();
            bytes.clear();
        } else {
            self.has_no_room = true;
            bytes.reserve_exact(bytes.capacity());
        }
        (self.file, self.tail) = (file, bytes);
        Ok(())
    }

    /// Returns all of it, in memory.
    pub(super) async fn whole(self) -> io::Result<Bytes> {
        if self.is_moving {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let Self { tail, file: Some(mut file), in_file, .. } = self else { return Ok(self.tail.into()) };
        let read = spawn_blocking(move || {
            let mut bytes = Vec::with_capacity(in_file + tail.len());
            file.rewind()?;
            file.take(in_file as u64).read_to_end(&mut bytes)?;
            bytes.extend_from_slice(&tail);
            Ok::<_, io::Error>(Bytes::from(bytes))
        });
        read.await.map_err(io::Error::other)?
    }
}

/// Reads `stream` to its end; what is not kept in memory goes to a file in `directory`.
pub(super) async fn read(
    stream: Option<impl AsyncRead + Unpin>,
    into: &mut Output,
    budget: &Budget,
    directory: &Path,
) -> Result<(), ToolError> {
    let Some(mut stream) = stream else { return Ok(()) };
    loop {
        if into.tail.capacity() == into.tail.len() {
            into.grow(directory).await.map_err(ToolError::Output)?;
        }
        match stream.read_buf(&mut into.tail).await {
            Ok(0) => return Ok(()),
            Ok(read) => budget.take(read)?,
            Err(error) => return Err(ToolError::Output(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn output_stays_in_memory_where_no_file_can_be_written() {
        let dir = tempfile::TempDir::new().unwrap();
        let text: Vec<u8> = (0..5 * MOST).map(|number| number as u8).collect();
        for (directory, in_file) in [(dir.path(), true), (&dir.path().join("missing"), false)] {
            let (mut output, budget) = (Output::default(), Budget::new(text.len()));
            read(Some(&text[..]), &mut output, &budget, directory).await.unwrap();
            assert_eq!((output.in_file > 0, output.len()), (in_file, text.len()));
            assert_eq!(output.whole().await.unwrap(), text);
        }
        let too_much = read(Some(&text[..]), &mut Output::default(), &Budget::new(9), dir.path()).await;
        assert!(matches!(too_much, Err(ToolError::TooMuchOutput { limit: 9 })), "{too_much:?}");
    }
}
