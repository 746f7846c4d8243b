//! The blocking connection.
//!
//! A thread that waits in `recv` wakes twice for each question: Linux also wakes it when the peer has read
//! the question, because the socket has room again. A thread that waits in `poll` for bytes to read wakes
//! once. `poll` is one more call, so it is used for the first reply of a connection only, where it replaces
//! two calls: the ones that make the socket block and set its read timeout.

use std::{
    io::{self, IoSlice, IoSliceMut, Read, Write},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::net::UnixStream,
    },
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use rustix::{
    buffer::spare_capacity,
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{OFlags, fcntl_setfl},
    io::Errno,
    net::{RecvFlags, SendFlags, recv, send},
};

use super::{socket::dial, system::NO_SIGNAL};
use crate::Endpoint;

/// A connected socket, which becomes blocking on first need.
#[derive(Debug)]
pub(crate) struct BlockingIo {
    socket: UnixStream,
    blocks: AtomicBool,
    /// True if the next read was already waited for.
    readable: bool,
}

/// Tries to connect once; never waits.
pub(crate) fn dial_blocking(endpoint: &Endpoint) -> io::Result<BlockingIo> {
    dial(Path::new(endpoint.as_str())).map(BlockingIo::of_new)
}

impl BlockingIo {
    /// Takes a new non-blocking socket without other settings.
    fn of_new(socket: OwnedFd) -> Self {
        Self { socket: socket.into(), blocks: AtomicBool::new(false), readable: false }
    }

    /// Takes a blocking socket.
    pub(super) const fn of_blocking(socket: UnixStream) -> Self {
        Self { socket, blocks: AtomicBool::new(true), readable: false }
    }

    fn block(&self) -> io::Result<&UnixStream> {
        if !self.blocks.load(Ordering::Relaxed) {
            fcntl_setfl(&self.socket, OFlags::empty())?;
            self.blocks.store(true, Ordering::Relaxed);
        }
        Ok(&self.socket)
    }

    pub(crate) fn set_read_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
        self.block()?.set_read_timeout(limit)
    }

    pub(crate) fn set_write_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
        self.block()?.set_write_timeout(limit)
    }
}

/// Waits until there are bytes to read, or the peer has closed.
pub(crate) fn wait_readable(io: &mut BlockingIo, limit: Duration) -> io::Result<()> {
    let limit = Timespec::try_from(limit).map_err(|_| io::ErrorKind::InvalidInput)?;
    let mut asked = [PollFd::new(&io.socket, PollFlags::IN)];
    match poll(&mut asked, Some(&limit))? {
        0 => Err(io::ErrorKind::TimedOut.into()),
        _ => {
            io.readable = true;
            Ok(())
        }
    }
}

/// Writes the bytes that fit into the socket's buffer.
pub(crate) fn write_now(io: &mut BlockingIo, bytes: &[u8]) -> io::Result<usize> {
    Ok(send(&io.socket, bytes, SendFlags::DONTWAIT | NO_SIGNAL)?)
}

/// Reads once into the spare capacity of `buffer`.
pub(crate) fn read_into(io: &mut BlockingIo, buffer: &mut Vec<u8>) -> io::Result<usize> {
    Ok(recv(io.block()?, spare_capacity(buffer), RecvFlags::empty())?.0)
}

/// Reads once into `room`, and passes the received bytes to `taken`.
pub(crate) fn read_through(
    io: &mut BlockingIo,
    room: &mut [MaybeUninit<u8>],
    taken: impl FnOnce(&[u8]),
) -> io::Result<usize> {
    let socket = if std::mem::take(&mut io.readable) { &io.socket } else { io.block()? };
    let received = match recv(socket, room, RecvFlags::empty()) {
        Ok(((received, _), _)) => received,
        // There were no bytes after all, so the caller must wait again.
        Err(Errno::AGAIN) if !io.blocks.load(Ordering::Relaxed) => {
            return Err(io::ErrorKind::Interrupted.into());
        }
        Err(errno) => return Err(errno.into()),
    };
    taken(received);
    Ok(received.len())
}

impl AsFd for BlockingIo {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Read for BlockingIo {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.block()?.read(buf)
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.block()?.read_vectored(bufs)
    }
}

impl Write for BlockingIo {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.block()?.write(buf)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.block()?.write_vectored(bufs)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.block()?.flush()
    }
}
