//! The blocking connection: the same rules as [`crate::Stream`], without a runtime on Unix.

use std::{
    io::{self, IoSlice, IoSliceMut, Read, Write},
    mem::MaybeUninit,
    thread,
    time::{Duration, Instant},
};

use ipc_path::Platform;

use crate::{
    ConnectError, Endpoint, Handed, Peer,
    connect::{Attempts, ours},
    os,
};

/// A blocking connection between a client and a daemon of the same user.
///
/// Dropping it closes the connection.
#[derive(Debug)]
pub struct Stream {
    io: os::BlockingIo,
    peer: Peer,
}

impl Stream {
    /// Connects, and checks the listener's user before anything can be sent.
    ///
    /// Only a busy daemon is tried again, with growing jittered pauses until `deadline`; every other failure
    /// is returned at once. One attempt is made even if `deadline` has passed.
    ///
    /// # Errors
    ///
    /// [`ConnectError`], sorted by cause.
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

    /// Takes over a connection to `endpoint`, and checks the listener's user.
    ///
    /// Another library made the connection.
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
        let peer = ours(&io, endpoint)?;
        Ok(Self { io, peer })
    }

    /// Returns the process and user at the other end.
    #[must_use]
    pub const fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Writes as many bytes as possible without waiting; ignores the write timeout.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] if no byte can be written now, or if the system cannot write without
    /// waiting; else the system's error.
    pub fn write_now(&mut self, bytes: &[u8]) -> io::Result<usize> {
        os::write_now(&mut self.io, bytes)
    }

    /// Reads once into the spare capacity of `buffer`, which need not be initialised.
    ///
    /// Reads nothing if there is no spare capacity.
    ///
    /// # Errors
    ///
    /// As for [`Read::read`].
    pub fn read_into(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        os::read_into(&mut self.io, buffer).map_err(one_kind_of_timeout)
    }

    /// Waits at most `limit` until there are bytes to read or the peer has closed.
    ///
    /// This is the cheapest wait before the first [`read_through`](Self::read_through) of a connection; a
    /// read timeout is better for many reads. On a system that cannot wait this way, the next read has
    /// `limit` as its timeout instead.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::TimedOut`]; else the system's error.
    pub fn wait_readable(&mut self, limit: Duration) -> io::Result<()> {
        os::wait_readable(&mut self.io, at_least_something(limit))
    }

    /// Reads once into `room` and passes the received bytes to `taken`.
    ///
    /// `room` need not be initialised.
    ///
    /// # Errors
    ///
    /// As for [`Read::read`]; `taken` is not called then.
    pub fn read_through(
        &mut self,
        room: &mut [MaybeUninit<u8>],
        taken: impl FnOnce(&[u8]),
    ) -> io::Result<usize> {
        os::read_through(&mut self.io, room, taken).map_err(one_kind_of_timeout)
    }

    /// Sets the timeout of each single read; `None` waits for ever.
    ///
    /// A read then fails with [`io::ErrorKind::TimedOut`].
    ///
    /// # Errors
    ///
    /// The system's error.
    pub fn set_read_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
        self.io.set_read_timeout(limit.map(at_least_something))
    }

    /// Sets the timeout of each single write; `None` waits for ever.
    ///
    /// A write then fails with [`io::ErrorKind::TimedOut`].
    ///
    /// # Errors
    ///
    /// The system's error.
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

/// The system takes zero for "no timeout", but a caller passes zero if its deadline has just passed.
fn at_least_something(limit: Duration) -> Duration {
    limit.max(Duration::from_micros(1))
}

/// Converts `WouldBlock`, which Unix returns for a timeout, into `TimedOut`.
fn one_kind_of_timeout(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock { io::ErrorKind::TimedOut.into() } else { error }
}
