//! Carries the bytes of one connection in both directions, unchanged.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use zccache_ipc::endpoint::{Platform, Stream};

use crate::tap::Side;

/// One thing that happened on a connection.
#[derive(Debug)]
pub(super) enum Happened<'a> {
    /// These bytes arrived from a side, and were offered to the other.
    Bytes(Side, &'a [u8]),
    /// A side sends no more.
    Finished(Side),
    /// A side closed the connection, or it broke.
    Closed(Side, Option<io::Error>),
}

/// Bytes from one side that the other has not taken yet.
struct Direction {
    from: Side,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// The sender sends no more.
    finished: bool,
    /// The receiver was told so.
    passed_on: bool,
    /// The receiver takes no more.
    refused: bool,
}

/// The result of moving bytes as far as they go.
enum Stop {
    /// Both directions have ended.
    Done,
    /// Time to look whether a side that sends no more has closed.
    Look,
}

/// A buffer's size. The kernel's own buffers hold more, so that a larger one gains nothing.
const BUFFER: usize = 64 * 1024;

/// The time between two looks at a side that sends no more: half-closed or closed.
const LOOK: Duration = Duration::from_millis(50);

/// Carries bytes between `client` and `daemon` until the connection has ended.
///
/// A side that only shuts down its sending side is passed on as such; a side that closes its connection closes the
/// other one, after the other has received everything.
pub(super) async fn carry(
    mut client: Stream,
    mut daemon: Stream,
    tell: &mut dyn FnMut(Happened<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let mut asked = Direction::from(Side::Client);
    let mut answered = Direction::from(Side::Daemon);
    loop {
        let mut look = pin!(tokio::time::sleep(LOOK));
        let stop = poll_fn(|cx| {
            let first = asked.poll(&mut client, &mut daemon, cx, tell)?;
            let second = answered.poll(&mut daemon, &mut client, cx, tell)?;
            // The first direction may have ended while the second one was moved.
            if asked.is_over(&answered) || answered.is_over(&asked) {
                return Poll::Ready(Ok::<_, io::Error>(Stop::Done));
            }
            if (first || second) && look.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(Stop::Look));
            }
            Poll::Pending
        });
        if let Stop::Done = stop.await? {
            return Ok(());
        }
        for (direction, stream) in [(&asked, &mut client), (&answered, &mut daemon)] {
            let is_delivered = direction.finished && direction.start == direction.end;
            if is_delivered && has_closed(stream).await {
                return tell(Happened::Closed(direction.from, None));
            }
        }
    }
}

/// Returns true if the peer has closed the connection, and not only its sending side.
async fn has_closed(stream: &mut Stream) -> bool {
    tokio::time::timeout(Duration::from_millis(1), stream.hung_up()).await.is_ok()
}

impl Direction {
    fn from(from: Side) -> Self {
        let buffer = vec![0; BUFFER].into_boxed_slice();
        Self { from, buffer, start: 0, end: 0, finished: false, passed_on: false, refused: false }
    }

    /// Returns true if the connection has ended because of this direction and `other`.
    fn is_over(&self, other: &Self) -> bool {
        // What the receiver refused cannot be delivered, and everything that it said before has been.
        (self.passed_on || self.refused) && (other.passed_on || other.refused)
            // Without half-close the end of one direction is the end of the connection.
            || self.passed_on && Platform::CURRENT == Platform::Windows
    }

    /// Moves bytes until a side makes it wait; returns true if the sender sends no more.
    fn poll(
        &mut self,
        sender: &mut Stream,
        receiver: &mut Stream,
        cx: &mut Context<'_>,
        tell: &mut dyn FnMut(Happened<'_>) -> io::Result<()>,
    ) -> io::Result<bool> {
        while !self.refused {
            if self.start < self.end {
                match Pin::new(&mut *receiver).poll_write(cx, &self.buffer[self.start..self.end]) {
                    Poll::Ready(written) => self.wrote(written, tell)?,
                    Poll::Pending => break,
                }
            } else if self.finished {
                if !self.passed_on {
                    // A receiver that is gone needs not hear it.
                    if Pin::new(&mut *receiver).poll_shutdown(cx).is_pending() {
                        break;
                    }
                    self.passed_on = true;
                }
                break;
            } else {
                let mut room = ReadBuf::new(&mut self.buffer);
                match Pin::new(&mut *sender).poll_read(cx, &mut room) {
                    Poll::Pending => break,
                    Poll::Ready(Ok(())) if room.filled().is_empty() => {
                        self.finished = true;
                        tell(Happened::Finished(self.from))?;
                    }
                    Poll::Ready(Ok(())) => {
                        (self.start, self.end) = (0, room.filled().len());
                        // Sent first, so that printing costs the peers no time.
                        let written = Pin::new(&mut *receiver).poll_write(cx, &self.buffer[..self.end]);
                        tell(Happened::Bytes(self.from, &self.buffer[..self.end]))?;
                        if let Poll::Ready(written) = written {
                            self.wrote(written, tell)?;
                        }
                    }
                    Poll::Ready(Err(error)) => {
                        self.finished = true;
                        tell(Happened::Closed(self.from, Some(error)))?;
                    }
                }
            }
        }
        Ok(self.finished)
    }

    /// Notes the result of a write to the receiver.
    fn wrote(
        &mut self,
        written: io::Result<usize>,
        tell: &mut dyn FnMut(Happened<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        match written {
            Ok(written) if written > 0 => {
                self.start += written;
                return Ok(());
            }
            Ok(_) => self.refused = true,
            Err(_) if self.refused => {}
            Err(error) => {
                self.refused = true;
                tell(Happened::Closed(self.from.other(), Some(error)))?;
            }
        }
        Ok(())
    }
}
