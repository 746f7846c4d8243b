//! The blocking connection: the same rules as [`crate::Stream`], without a runtime on Unix.

use std::{
    io::{self, IoSlice, IoSliceMut, Read, Write},
    mem::MaybeUninit,
    thread,
    time::{Duration, Instant},
};

use ipc_path::Platform;

use crate::{ConnectError, Endpoint, Handed, Peer, connect::Attempts, os};

/// A connection between a client and a daemon of the same user, on the calling thread.
///
/// Dropping it closes it.
#[derive(Debug)]
pub struct Stream {
    io: os::BlockingIo,
    peer: Peer,
}

impl Stream {
    /// Connects, and checks that the listener is ours before anything can be sent.
    ///
    /// Only a busy daemon is tried again, with growing jittered naps until `deadline`; every other failure
    /// is returned at once. One attempt is made even when `deadline` has passed.
    ///
    /// # Errors
    ///
    /// [`ConnectError`], by whose fault.
    pub fn connect(endpoint: &Endpoint, deadline: Instant) -> Result<Self, ConnectError> {
        endpoint.check(Platform::CURRENT)?;
        let mut attempts = Attempts::until(deadline);
        let io = loop {
            match os::dial_blocking(endpoint) {
                Ok(io) => break io,
                Err(error) => thread::sleep(attempts.after(endpoint, os::failure(endpoint, error))?),
            }
        };
        Self::to_ours(io, endpoint)
    }

    /// Takes a connection that somebody else made to `endpoint`, and checks that the listener is ours.
    ///
    /// # Errors
    ///
    /// [`ConnectError::ForeignPeer`], or [`ConnectError::Io`].
    pub fn of_handed(handed: Handed, endpoint: &Endpoint) -> Result<Self, ConnectError> {
        let io = os::blocking_of(handed.0)
            .map_err(|source| ConnectError::Io { endpoint: endpoint.clone(), source })?;
        Self::to_ours(io, endpoint)
    }

    fn to_ours(io: os::BlockingIo, endpoint: &Endpoint) -> Result<Self, ConnectError> {
        let peer = os::peer(&io).map_err(|source| ConnectError::Io { endpoint: endpoint.clone(), source })?;
        match peer.foreign_to(os::our_uid()) {
            None => Ok(Self { io, peer }),
            Some((expected, found)) => {
                Err(ConnectError::ForeignPeer { endpoint: endpoint.clone(), expected, found })
            }
        }
    }

    /// Who is at the other end.
    #[must_use]
    pub const fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Writes what can be written without waiting, whatever the write timeout is.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] where that is nothing, or where the system cannot tell; else what it said.
    pub fn write_now(&mut self, bytes: &[u8]) -> io::Result<usize> {
        os::write_now(&mut self.io, bytes)
    }

    /// Reads once into the room that `buffer` has beyond its contents, which need not be initialised for
    /// that. Nothing is read where there is no room.
    ///
    /// # Errors
    ///
    /// As for [`Read::read`].
    pub fn read_into(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        os::read_into(&mut self.io, buffer).map_err(one_kind_of_timeout)
    }

    /// Waits until there is something to read, or nobody to read from, for at most `limit`.
    ///
    /// It is what costs least before the first [`read_through`](Self::read_through) of a connection; a timeout for
    /// reads is better for many. Where a system cannot wait so, the next read takes no longer than `limit` instead.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::TimedOut`]; else what the system said.
    pub fn wait_readable(&mut self, limit: Duration) -> io::Result<()> {
        os::wait_readable(&mut self.io, at_least_something(limit))
    }

    /// Reads once into `room`, which need not be initialised for that, and shows `taken` what came.
    ///
    /// # Errors
    ///
    /// As for [`Read::read`]; nothing is shown then.
    pub fn read_through(
        &mut self,
        room: &mut [MaybeUninit<u8>],
        taken: impl FnOnce(&[u8]),
    ) -> io::Result<usize> {
        os::read_through(&mut self.io, room, taken).map_err(one_kind_of_timeout)
    }

    /// Bounds each single read; it then fails with [`io::ErrorKind::TimedOut`]. `None` waits for ever.
    ///
    /// # Errors
    ///
    /// What the system said.
    pub fn set_read_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
        self.io.set_read_timeout(limit.map(at_least_something))
    }

    /// Bounds each single write; it then fails with [`io::ErrorKind::TimedOut`]. `None` waits for ever.
    ///
    /// # Errors
    ///
    /// What the system said.
    pub fn set_write_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
        self.io.set_write_timeout(limit.map(at_least_something))
    }
}

impl Read for Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.io.read(buf).map_err(one_kind_of_timeout)
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.io.read_vectored(bufs).map_err(one_kind_of_timeout)
    }
}

impl Write for Stream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.io.write(buf).map_err(one_kind_of_timeout)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.io.write_vectored(bufs).map_err(one_kind_of_timeout)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.io.flush()
    }
}

/// A zero limit means "for ever" to the system, and a deadline that has just passed to the caller.
fn at_least_something(limit: Duration) -> Duration {
    limit.max(Duration::from_micros(1))
}

/// Unix says that the operation would block, which a caller of a blocking stream cannot make sense of.
fn one_kind_of_timeout(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock { io::ErrorKind::TimedOut.into() } else { error }
}
