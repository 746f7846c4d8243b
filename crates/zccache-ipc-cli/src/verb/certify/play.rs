//! Carries out one exchange with a daemon.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;
use zccache_ipc::endpoint::{ConnectError, Endpoint, Stream};
use zccache_ipc::model::Response;
use zccache_ipc::wire_dispatch::Dialect;

use crate::certify::{Ended, Expected, Seen, Step, is_pong, ping};
use crate::tap::{Heard, Reader, Room};

/// Memory for one reply.
const ROOM: usize = 32 * 1024 * 1024;

/// The pause between two bytes of a slow sender.
const PAUSE: Duration = Duration::from_millis(1);

/// A daemon under test.
pub(super) struct Player {
    pub(super) endpoint: Endpoint,
    /// The time for each connection, each reply and each end.
    pub(super) limit: Duration,
    /// The dialect of the question whether the daemon serves on.
    pub(super) alive: Dialect,
}

/// One connection and what it has said.
struct Line {
    stream: Stream,
    reader: Reader,
    room: Room,
    replies: Vec<Heard<Response>>,
    limit: Duration,
}

impl Player {
    /// Returns the dialects in which the daemon answers `Ping`.
    pub(super) async fn served(&self) -> Result<Vec<Dialect>, ConnectError> {
        let mut served = Vec::new();
        for dialect in Dialect::ALL {
            let seen = self.exchange(&[Step::Send(ping(dialect))], 1, false).await?;
            if is_pong(&seen, dialect) {
                served.push(dialect);
            }
        }
        Ok(served)
    }

    /// Carries out an exchange, and asks whether the daemon serves on.
    pub(super) async fn play(&self, steps: &[Step], expected: &Expected) -> Result<Seen, ConnectError> {
        let (wanted, to_the_end) = match expected {
            Expected::Replies { wants, closed } => (wants.len(), *closed),
            Expected::Answered => (1, false),
            Expected::Refused => (0, true),
            Expected::ServedOrRefused { .. } => (1, false),
        };
        let mut seen = self.exchange(steps, wanted, to_the_end).await?;
        let alive = self.exchange(&[Step::Send(ping(self.alive))], 1, false).await;
        seen.serves = alive.is_ok_and(|seen| !seen.replies.is_empty());
        Ok(seen)
    }

    async fn exchange(&self, steps: &[Step], wanted: usize, to_the_end: bool) -> Result<Seen, ConnectError> {
        let mut line = self.connect().await?;
        let mut crowd = (0, 0);
        for step in steps {
            match step {
                Step::Send(bytes) => line.send(bytes).await,
                Step::SendSlowly(bytes) => {
                    for byte in bytes {
                        line.send(&[*byte]).await;
                        tokio::time::sleep(PAUSE).await;
                    }
                }
                Step::HalfClose => {
                    // A peer that is gone already is seen when its replies are read.
                    let _ = timeout(self.limit, line.stream.shutdown()).await;
                }
                Step::Within(limit) => line.limit = *limit,
                Step::Close => return Ok(line.seen(Ended::ByUs, crowd)),
                Step::Crowd(count, bytes) => {
                    let answered = self.crowd(*count, bytes).await?;
                    crowd = (crowd.0 + count, crowd.1 + answered);
                }
            }
        }
        let ended = line.read(wanted, to_the_end).await;
        Ok(line.seen(ended, crowd))
    }

    /// Opens connections, sends `bytes` on all of them, and returns how many were answered.
    async fn crowd(&self, count: usize, bytes: &[u8]) -> Result<usize, ConnectError> {
        let mut lines = Vec::with_capacity(count);
        for _ in 0..count {
            lines.push(self.connect().await?);
        }
        for line in &mut lines {
            line.send(bytes).await;
        }
        let mut answered = 0;
        for line in &mut lines {
            line.read(1, false).await;
            answered += usize::from(matches!(line.replies.first(), Some(Heard::Message { .. })));
        }
        Ok(answered)
    }

    async fn connect(&self) -> Result<Line, ConnectError> {
        let stream = Stream::connect(&self.endpoint, Instant::now() + self.limit).await?;
        let limit = self.limit;
        Ok(Line { stream, reader: Reader::default(), room: Room::new(ROOM), replies: Vec::new(), limit })
    }
}

impl Line {
    /// Sends bytes; a daemon that does not take them has closed, or does not read.
    async fn send(&mut self, bytes: &[u8]) {
        // The replies and the end, which are read next, show both.
        let _ = timeout(self.limit, self.stream.write_all(bytes)).await;
    }

    /// Reads until `wanted` replies are there, or to the end of the connection.
    async fn read(&mut self, wanted: usize, to_the_end: bool) -> Ended {
        let mut buffer = vec![0; 64 * 1024];
        while to_the_end || self.replies.len() < wanted {
            match timeout(self.limit, self.stream.read(&mut buffer)).await {
                Err(_) => return Ended::Silent,
                // A reset is the end too: the daemon closed while bytes of ours were on their way.
                Ok(Ok(0) | Err(_)) => {
                    self.replies.extend(self.reader.end(&mut self.room));
                    return Ended::Closed;
                }
                Ok(Ok(read)) => self.replies.extend(self.reader.feed(&buffer[..read], &mut self.room)),
            }
        }
        Ended::Open
    }

    fn seen(self, ended: Ended, crowd: (usize, usize)) -> Seen {
        Seen { replies: self.replies, ended, crowd, serves: true }
    }
}
