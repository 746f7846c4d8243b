//! The connection and the listener of a runtime, woken for what arrives and for nothing else.
//!
//! tokio's own socket is registered for reading and for writing. Each time that a peer takes a message, its
//! sender is woken to be told that there is room again, and on one processor it takes that from the peer:
//! two switches of tasks for nothing in every question and answer. Here a socket is registered for writing
//! only while something does not fit into it.

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

/// Reads of a connection that was accepted, before it is registered: enough for one request and its end.
const EAGER_READS: u8 = 4;

/// A connected socket.
#[derive(Debug)]
pub(crate) struct AsyncIo {
    /// What tells that something has arrived. Before the socket, so that it is dropped first.
    arrivals: Option<AsyncFd<RawFd>>,
    /// The same socket once more, while something waits to be written.
    full: Option<AsyncFd<OwnedFd>>,
    /// Whether to read first, and to wait for an arrival only when there was nothing.
    eager: bool,
    /// How many reads may still be so: to wait for an arrival is also to let others have their turn.
    tries: u8,
    socket: OwnedFd,
}

impl AsyncIo {
    /// Takes a socket that does not block.
    pub(super) fn new(socket: OwnedFd) -> io::Result<Self> {
        let mut stream = Self { eager: false, ..Self::accepted(socket) };
        registered(&mut stream.arrivals, &stream.socket)?;
        Ok(stream)
    }

    /// Takes a socket that was accepted, and does not block.
    ///
    /// Who connects has most often sent his request by then. To find it there saves a turn of the runtime,
    /// and a timer for the case that it does not come.
    const fn accepted(socket: OwnedFd) -> Self {
        Self { arrivals: None, full: None, eager: true, tries: EAGER_READS, socket }
    }

    /// Tries `write` until it does not say that it would block.
    fn poll_written(
        &mut self,
        cx: &mut Context<'_>,
        mut write: impl FnMut(BorrowedFd<'_>, SendFlags) -> rustix::io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            match write(self.socket.as_fd(), SendFlags::DONTWAIT | NO_SIGNAL) {
                Ok(count) => {
                    // Who was answered has often left by now, and needs no registration then.
                    self.eager |= self.arrivals.is_none() && self.tries > 0;
                    return Poll::Ready(Ok(count));
                }
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => {}
                Err(errno) => return Poll::Ready(Err(errno.into())),
            }
            let full = match &mut self.full {
                Some(full) => full,
                none => {
                    let again = fcntl_dupfd_cloexec(&self.socket, 0)?;
                    none.insert(register(again, Interest::WRITABLE)?)
                }
            };
            // Room that was noticed before the write that found none is no room.
            ready!(full.poll_write_ready(cx))?.clear_ready();
        }
    }
}

impl AsFd for AsyncIo {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl AsyncRead for AsyncIo {
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
            // The next arrival is to be waited for.
            let mut wait = || match &mut ready {
                Some(ready) => ready.clear_ready(),
                None => *eager = false,
            };
            // SAFETY: what is received is written to it, and nothing of it is made uninitialised.
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
                // Less than there was room for is all: the next one is announced anew.
                wait();
            }
            // SAFETY: so many bytes were received into it.
            unsafe { buf.assume_init(received) };
            buf.advance(received);
            return Poll::Ready(Ok(()));
        }
    }
}

impl AsyncWrite for AsyncIo {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_written(cx, |socket, flags| send(socket, buf, flags))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_written(cx, |socket, flags| {
            sendmsg(socket, bufs, &mut SendAncillaryBuffer::default(), flags)
        })
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // All is written: no more news of room.
        self.full = None;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match shutdown(&self.socket, Shutdown::Write) {
            // A peer that has gone hears no end.
            Ok(()) | Err(Errno::NOTCONN) => Poll::Ready(Ok(())),
            Err(errno) => Poll::Ready(Err(errno.into())),
        }
    }
}

/// A listening socket.
#[derive(Debug)]
pub(crate) struct AsyncListener {
    arrivals: AsyncFd<OwnedFd>,
    /// Whether a connection was accepted since it was last told that there is one.
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
            // Linux makes a socket and a file before it finds that nobody is there, and that costs ten times
            // what the question costs.
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

/// Whether there is something to read or to accept now.
fn is_readable(socket: &OwnedFd) -> io::Result<bool> {
    let mut asked = [PollFd::new(socket, PollFlags::IN)];
    match poll(&mut asked, Some(&Timespec::default())) {
        Ok(count) => Ok(count > 0),
        // Trying tells as well.
        Err(Errno::INTR) => Ok(true),
        Err(errno) => Err(errno.into()),
    }
}

/// Waits until there is something to read, or nobody to read from.
pub(crate) async fn readable(stream: &mut AsyncIo) -> io::Result<()> {
    registered(&mut stream.arrivals, &stream.socket)?.readable().await.map(drop)
}

/// Whether the other end has closed the connection, and not only said that it sends no more.
pub(crate) async fn has_hung_up(stream: &AsyncIo) -> bool {
    // Asked about nothing, the system tells of this alone.
    let mut asked = [PollFd::new(&stream.socket, PollFlags::empty())];
    matches!(poll(&mut asked, Some(&Timespec::default())), Ok(1))
        && asked[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL)
}

/// What tells that something has arrived on `socket`, from before this call on.
fn registered<'a>(
    arrivals: &'a mut Option<AsyncFd<RawFd>>,
    socket: &OwnedFd,
) -> io::Result<&'a AsyncFd<RawFd>> {
    Ok(match arrivals {
        Some(arrivals) => arrivals,
        none => {
            let raw = socket.as_raw_fd();
            // SAFETY: both are fields of one `AsyncIo`, which drops the registration first and lets neither out.
            none.insert(unsafe { AsyncFd::register_with_interest(raw, Interest::READABLE) }?)
        }
    })
}

fn register(socket: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is open, and is the same descriptor, for as long as the registration owns it.
    Ok(unsafe { AsyncFd::register_with_interest(socket, interest) }?)
}
