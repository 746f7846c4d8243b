//! A pipe on the calling thread.
//!
//! A pipe that is opened for blocking has no timeouts, so this one is asynchronous and brings the little
//! runtime that waits for it.

use std::{
    future::poll_fn,
    io::{self, Read, Write},
    mem::MaybeUninit,
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    runtime::{Builder, Runtime},
    time::timeout,
};

use super::pipe::{AsyncIo, HasPeer, dial_async};
use crate::Endpoint;

/// A pipe and the runtime that it is registered with.
#[derive(Debug)]
pub(crate) struct BlockingIo {
    // First, so that it is closed while its runtime is there.
    pipe: AsyncIo,
    runtime: Runtime,
    read_limit: Limit,
    write_limit: Limit,
}

/// One attempt to connect, which never waits. The connection blocks.
pub(crate) fn dial_blocking(endpoint: &Endpoint) -> io::Result<BlockingIo> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let pipe = runtime.block_on(dial_async(endpoint))?;
    Ok(BlockingIo { pipe, runtime, read_limit: Limit::default(), write_limit: Limit::default() })
}

impl BlockingIo {
    pub(crate) fn set_read_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
        self.read_limit.set(limit);
        Ok(())
    }

    pub(crate) fn set_write_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
        self.write_limit.set(limit);
        Ok(())
    }
}

impl BlockingIo {
    fn fill(&mut self, buf: &mut ReadBuf<'_>) -> io::Result<usize> {
        let Self { pipe, runtime, read_limit, .. } = self;
        let done = poll_fn(|cx| Pin::new(&mut *pipe).poll_read(cx, buf));
        runtime.block_on(read_limit.bound(done))?;
        Ok(buf.filled().len())
    }
}

impl HasPeer for BlockingIo {
    fn process_id(&self) -> io::Result<u32> {
        self.pipe.peer_process_id()
    }
}

impl Read for BlockingIo {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.fill(&mut ReadBuf::new(buf))
    }
}

/// Reads once into `room`, and shows `taken` what came.
pub(crate) fn read_through(
    io: &mut BlockingIo,
    room: &mut [MaybeUninit<u8>],
    taken: impl FnOnce(&[u8]),
) -> io::Result<usize> {
    let mut buf = ReadBuf::uninit(room);
    let read = io.fill(&mut buf)?;
    taken(buf.filled());
    Ok(read)
}

impl Write for BlockingIo {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let Self { pipe, runtime, write_limit, .. } = self;
        let done = poll_fn(|cx| Pin::new(&mut *pipe).poll_write(cx, buf));
        runtime.block_on(write_limit.bound(done))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How long one operation may take, in nanoseconds; 0 is for ever.
#[derive(Debug, Default)]
struct Limit(AtomicU64);

impl Limit {
    fn set(&self, limit: Option<Duration>) {
        let nanos = limit.map_or(0, |limit| u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX));
        self.0.store(nanos, Ordering::Relaxed);
    }

    async fn bound<T>(&self, operation: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        match self.0.load(Ordering::Relaxed) {
            0 => operation.await,
            nanos => match timeout(Duration::from_nanos(nanos), operation).await {
                Ok(result) => result,
                Err(_) => Err(io::ErrorKind::TimedOut.into()),
            },
        }
    }
}

/// A pipe cannot be waited for without reading: the next read takes no longer.
pub(crate) fn wait_readable(io: &mut BlockingIo, limit: Duration) -> io::Result<()> {
    io.set_read_timeout(Some(limit))
}

/// A pipe cannot be asked to write without waiting.
pub(crate) fn write_now(_: &mut BlockingIo, _: &[u8]) -> io::Result<usize> {
    Err(io::ErrorKind::WouldBlock.into())
}

/// Reads once into the spare room of `buffer`.
pub(crate) fn read_into(io: &mut BlockingIo, buffer: &mut Vec<u8>) -> io::Result<usize> {
    let start = buffer.len();
    buffer.resize(buffer.capacity(), 0);
    let read = io.read(&mut buffer[start..]);
    buffer.truncate(start + read.as_ref().map_or(0, |read| *read));
    read
}
