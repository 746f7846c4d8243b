//! The asynchronous connection and listener, which wake only for arriving bytes.
//!
//! tokio's own socket is registered for reading and writing. Each time the peer takes a message, the sender
//! wakes to learn that there is room again, and on one processor this wake-up interrupts the peer: two
//! useless task switches for every question and answer. Here a socket is registered for writing only while it
//! has no room for a message.

use std::{
    io::{self, IoSlice},
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd},
    pin::Pin,
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll, ready},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::{Errno, fcntl_dupfd_cloexec},
    net::{RecvFlags, SendAncillaryBuffer, SendFlags, Shutdown, recv, send, sendmsg, shutdown},
};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, unix::AsyncFd};

use super::system::{NO_SIGNAL, accept};

/// The number of reads of an accepted connection before it is registered: enough for one request and the
/// close.
const EAGER_READS: u8 = 4;

/// A connected socket.
#[derive(Debug)]
pub(crate) struct AsyncIo {
    /// The registration for arriving bytes. Declared before the socket, so that it is dropped first.
    arrivals: Option<AsyncFd<RawFd>>,
    /// A registered duplicate of the socket, while bytes wait to be written.
    full: Option<AsyncFd<OwnedFd>>,
    /// True if the last write did not take all bytes.
    is_full: bool,
    /// True if a read comes first, and a wait only if the read found nothing.
    eager: bool,
    /// The number of eager reads that are left: a wait also lets other tasks run.
    tries: u8,
    socket: OwnedFd,
}

impl AsyncIo {
    /// Takes a non-blocking socket.
    pub(super) fn new(socket: OwnedFd) -> io::Result<Self> {
        let mut stream = Self { eager: false, ..Self::accepted(socket) };
        registered(&mut stream.arrivals, &stream.socket)?;
        Ok(stream)
    }

    /// Takes an accepted non-blocking socket.
    ///
    /// The client's request is usually there already. An immediate read finds it without another poll of the
    /// runtime and without a timer.
    const fn accepted(socket: OwnedFd) -> Self {
        Self { arrivals: None, full: None, is_full: false, eager: true, tries: EAGER_READS, socket }
    }

    /// Calls `write` until it does not return `AGAIN`.
    fn poll_written(
        &mut self,
        cx: &mut Context<'_>,
        wanted: usize,
        write: impl Fn(BorrowedFd<'_>, SendFlags) -> rustix::io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let Self { arrivals, full, is_full, eager, tries, socket } = self;
        loop {
            let mut ready = None;
            if *is_full {
                ready = Some(ready!(writable(full, socket)?.poll_write_ready(cx))?);
            }
            match write(socket.as_fd(), SendFlags::DONTWAIT | NO_SIGNAL) {
                Ok(count) => {
                    // A short write has filled the socket: another one would fail before the peer reads.
                    *is_full = count < wanted;
                    if let (true, Some(mut ready)) = (*is_full, ready) {
                        ready.clear_ready();
                    }
                    // A client often closes after its answer, and then needs no registration.
                    *eager |= arrivals.is_none() && *tries > 0;
                    return Poll::Ready(Ok(count));
                }
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => {
                    *is_full = true;
                    // A readiness from before the failed write does not count.
                    if let Some(mut ready) = ready {
                        ready.clear_ready();
                    }
                }
                Err(errno) => return Poll::Ready(Err(errno.into())),
            }
        }
    }
}

impl AsFd for AsyncIo {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl AsyncRead for AsyncIo {
    #[inline]
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let Self { arrivals, eager, tries, socket, .. } = &mut *self;
        loop {
            let mut ready = None;
            if !*eager {
                ready = Some(ready!(registered(arrivals, socket)?.poll_read_ready(cx))?);
            }
            let untold = ready.is_none();
            // Makes the next read wait for an arrival.
            let mut wait = || match &mut ready {
                Some(ready) => ready.clear_ready(),
                None => *eager = false,
            };
            // SAFETY: only received bytes are written to it, and no byte becomes uninitialised.
            let room = unsafe { buf.unfilled_mut() };
            let wanted = room.len();
            let received = match recv(&*socket, room, RecvFlags::DONTWAIT) {
                Ok(((received, _), _)) => received.len(),
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => {
                    wait();
                    continue;
                }
                Err(errno) => return Poll::Ready(Err(errno.into())),
            };
            *tries = tries.saturating_sub(1);
            if 0 < received && received < wanted || untold && *tries == 0 {
                // A short read has emptied the socket: the next bytes cause a new wake-up.
                wait();
            }
            // SAFETY: `received` bytes were written to it.
            unsafe { buf.assume_init(received) };
            buf.advance(received);
            return Poll::Ready(Ok(()));
        }
    }
}

impl AsyncWrite for AsyncIo {
    #[inline]
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_written(cx, buf.len(), |socket, flags| send(socket, buf, flags))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wanted = bufs.iter().map(|buf| buf.len()).sum();
        self.poll_written(cx, wanted, |socket, flags| {
            sendmsg(socket, bufs, &mut SendAncillaryBuffer::default(), flags)
        })
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    #[inline]
    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Everything is written, so the write registration ends.
        self.full = None;
        self.is_full = false;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match shutdown(&self.socket, Shutdown::Write) {
            // A peer that is gone cannot receive the end of the stream.
            Ok(()) | Err(Errno::NOTCONN) => Poll::Ready(Ok(())),
            Err(errno) => Poll::Ready(Err(errno.into())),
        }
    }
}

/// A listening socket.
#[derive(Debug)]
pub(crate) struct AsyncListener {
    arrivals: AsyncFd<OwnedFd>,
    /// True if a connection was accepted since the last wake-up.
    accepted: AtomicBool,
}

impl AsyncListener {
    pub(super) fn new(listener: std::os::unix::net::UnixListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let arrivals = register(listener.into(), Interest::READABLE)?;
        Ok(Self { arrivals, accepted: AtomicBool::new(false) })
    }

    pub(crate) async fn accept(&self) -> io::Result<AsyncIo> {
        loop {
            let mut ready = self.arrivals.readable().await?;
            // Before an accept fails, Linux makes a socket and a file, which costs ten times as much as this
            // `poll`.
            if self.accepted.load(Ordering::Relaxed) && !is_readable(self.arrivals.get_ref())? {
                self.accepted.store(false, Ordering::Relaxed);
                ready.clear_ready();
                continue;
            }
            match ready.try_io(|listener| accept(listener.get_ref())) {
                Ok(accepted) => {
                    self.accepted.store(true, Ordering::Relaxed);
                    return accepted.map(AsyncIo::accepted);
                }
                Err(_would_block) => {}
            }
        }
    }
}

/// Returns true if there are bytes to read, or a connection to accept, now.
fn is_readable(socket: &OwnedFd) -> io::Result<bool> {
    let mut asked = [PollFd::new(socket, PollFlags::IN)];
    match poll(&mut asked, Some(&Timespec::default())) {
        Ok(count) => Ok(count > 0),
        // The read or accept that follows shows the state as well.
        Err(Errno::INTR) => Ok(true),
        Err(errno) => Err(errno.into()),
    }
}

/// Waits until there are bytes to read, or the peer has closed.
pub(crate) async fn readable(stream: &mut AsyncIo) -> io::Result<()> {
    registered(&mut stream.arrivals, &stream.socket)?.readable().await.map(drop)
}

/// Returns true if the peer has closed both directions of the connection.
pub(crate) async fn has_hung_up(stream: &AsyncIo) -> bool {
    // With an empty event set, `poll` reports only a hang-up or an error.
    let mut asked = [PollFd::new(&stream.socket, PollFlags::empty())];
    matches!(poll(&mut asked, Some(&Timespec::default())), Ok(1))
        && asked[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL)
}

/// Returns the registration of `socket` for reading; makes it on first use.
#[inline]
fn registered<'a>(
    arrivals: &'a mut Option<AsyncFd<RawFd>>,
    socket: &OwnedFd,
) -> io::Result<&'a AsyncFd<RawFd>> {
    Ok(match arrivals {
        Some(arrivals) => arrivals,
        none => {
            let raw = socket.as_raw_fd();
            // SAFETY: both are fields of one `AsyncIo`, which drops the registration first and lends neither
            // out.
            none.insert(unsafe { AsyncFd::register_with_interest(raw, Interest::READABLE) }?)
        }
    })
}

/// Returns the registration of `socket` for writing; makes it on first use.
fn writable<'a>(
    full: &'a mut Option<AsyncFd<OwnedFd>>,
    socket: &OwnedFd,
) -> io::Result<&'a AsyncFd<OwnedFd>> {
    Ok(match full {
        Some(full) => full,
        none => none.insert(register(fcntl_dupfd_cloexec(socket, 0)?, Interest::WRITABLE)?),
    })
}

fn register(socket: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is open, and stays the same descriptor, as long as the registration owns it.
    Ok(unsafe { AsyncFd::register_with_interest(socket, interest) }?)
}
