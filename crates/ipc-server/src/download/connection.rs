//! One connection of a download daemon.
//!
//! Rule: `docs/spec/download.md#framing`.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use bytes::BytesMut;
use ipc_model::download::{DownloadAttach, DownloadDaemonStatus, DownloadRequest, DownloadResponse};
use ipc_os::Stream;
use tokio::io::{AsyncReadExt as _, AsyncWrite as _, AsyncWriteExt as _};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, timeout, timeout_at};
use wire_dispatch::Dialect;
use wire_frame::{HEADER_LEN, Header, Peeked};
use wire_v15::Generation;

use super::conversation::{self, Step, refusal};
use super::shared::Shared;
use super::{Attached as _, Downloads};
use crate::Ended;
use crate::server::{Answering, Counters, stop, stopped};
use ipc_connection::inbound::Inbound;
use ipc_connection::timer::after;

/// Largest request in bytes: far more than a path and a URL need.
const LARGEST_REQUEST: usize = 1024 * 1024;

/// Maximum number of bytes that a peer may send before it receives the current answer.
const AHEAD: usize = 64 * 1024;

/// Time to read from a refused peer, so that it can finish writing and read the refusal.
const LINGER: Duration = Duration::from_millis(500);

/// Permit of a connection: to be served, or to receive a refusal.
pub(super) struct Place {
    pub(super) is_served: bool,
    pub(super) _held: OwnedSemaphorePermit,
}

/// Error text for a peer without a place.
const TOO_MANY: &str = "too many connections; try again later";

/// Reason for the end of a connection.
enum End {
    /// The peer left, the server stops, or a deadline passed; not logged.
    Quiet,
    /// The server sends this error text and closes the connection.
    Refuse(String),
    /// The operating system reported an error.
    Io(io::Error),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

struct Connection<'a, D: Downloads> {
    shared: &'a Shared<D>,
    stop: watch::Sender<Option<Ended>>,
    stop_receiver: watch::Receiver<Option<Ended>>,
    stream: Stream,
    inbound: Inbound,
    /// Number of the last frame; the answer has the same number.
    generation: Generation,
    /// The attached download, and the guard that keeps the daemon from being idle.
    attached: Option<(D::Attached, Answering<'a>)>,
}

/// Serves `stream` until it ends.
pub(super) async fn run<D: Downloads>(
    shared: Arc<Shared<D>>,
    stop: watch::Sender<Option<Ended>>,
    stream: Stream,
    place: Place,
) {
    Counters::count(&shared.counters.open);
    let _open = Open(&shared.counters);
    let mut connection = Connection {
        shared: &shared,
        stop_receiver: stop.subscribe(),
        stop,
        stream,
        inbound: Inbound::default(),
        generation: Generation::V15,
        attached: None,
    };
    let ended = if place.is_served {
        connection.serve().await
    } else {
        connection.learn_number().await;
        Err(End::Refuse(TOO_MANY.to_owned()))
    };
    match ended {
        Ok(()) | Err(End::Quiet) => {}
        Err(End::Refuse(why)) => {
            tracing::info!(why, "refused");
            connection.refuse(why).await;
        }
        Err(End::Io(error)) => {
            tracing::debug!(error = &error as &dyn std::error::Error, "the connection failed");
        }
    }
}

/// Refuses a peer when too many peers wait for a refusal already. Does not wait for the peer.
pub(super) async fn refuse_at_once(mut stream: Stream) {
    let mut inbound = Inbound::default();
    let _ = poll_fn(|cx| Poll::Ready(inbound.poll_fill(&mut stream, cx))).await;
    let generation = number(&inbound.received).unwrap_or(Generation::V15);
    // The text fits in a frame. The server writes only what the socket takes at once.
    if let Ok(frame) = wire_v15::encode_in(&refusal(TOO_MANY), generation) {
        let _ = poll_fn(|cx| Poll::Ready(Pin::new(&mut stream).poll_write(cx, &frame))).await;
    }
}

/// Returns the number of the frame at the start of `received`, once its header is there.
fn number(received: &[u8]) -> Option<Generation> {
    match Header::peek(received) {
        Ok(Peeked::Header(header)) => Generation::of(header.version()),
        _ => None,
    }
}

struct Open<'a>(&'a Counters);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<D: Downloads> Connection<'_, D> {
    async fn serve(&mut self) -> Result<(), End> {
        let mut deadline = Some(after(self.shared.config.first_frame_timeout));
        loop {
            let Some(request) = self.next(deadline).await? else { continue };
            let answering = self.shared.counters.answering();
            let answer = self.answer(request).await?;
            let is_last = matches!(answer, DownloadResponse::ShuttingDown);
            let sent = self.send(&answer).await;
            drop(answering);
            if is_last {
                // The server stops even if the client did not wait for the answer.
                stop(&self.stop, Ended::Shutdown);
                return Ok(());
            }
            sent?;
            if self.stop_receiver.borrow().is_some() {
                return Ok(());
            }
            deadline = None;
        }
    }

    /// Reads the header of the first request, so that the refusal has a number that the client reads.
    ///
    /// A peer that sends none in time gets number 15.
    async fn learn_number(&mut self) {
        let header = async {
            while HEADER_LEN > self.inbound.received.len() {
                if self.inbound.fill(&mut self.stream).await.is_ok_and(|read| read > 0) {
                    continue;
                }
                return;
            }
        };
        let _ = timeout(LINGER, header).await;
        self.generation = number(&self.inbound.received).unwrap_or(self.generation);
    }

    /// Reads the next request; `None` after a refusal of an illegal request.
    async fn next(&mut self, mut deadline: Option<Instant>) -> Result<Option<DownloadRequest>, End> {
        loop {
            match Header::peek(&self.inbound.received) {
                Ok(Peeked::Header(header)) if header.payload_len() > LARGEST_REQUEST => {
                    self.generation = Generation::of(header.version()).unwrap_or(self.generation);
                    return Err(End::Refuse(format!("a request has at most {LARGEST_REQUEST} bytes")));
                }
                // The bytes are another protocol's, so the peer would not understand a refusal.
                Err(_) => return Err(End::Quiet),
                Ok(_) => {}
            }
            match self.inbound.cut_bincode() {
                Ok(Some((generation, body))) => {
                    self.generation = generation;
                    match wire_v15::decode_in(&body, generation) {
                        Ok(request) => return Ok(Some(request)),
                        Err(error) => {
                            Counters::count(&self.shared.counters.refused);
                            self.send(&refusal(error.to_string())).await?;
                            return Ok(None);
                        }
                    }
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::debug!(error = &error as &dyn std::error::Error, "not this protocol");
                    return Err(End::Quiet);
                }
            }
            if !self.inbound.is_empty() {
                deadline.get_or_insert_with(|| after(self.shared.config.frame_timeout));
            }
            let idle = self.inbound.is_empty();
            let read = self.inbound.fill(&mut self.stream);
            let read = async {
                match deadline {
                    Some(deadline) => timeout_at(deadline, read).await.unwrap_or(Ok(0)),
                    None => read.await,
                }
            };
            tokio::select! {
                biased;
                _ = stopped(&mut self.stop_receiver) => return Err(End::Quiet),
                read = read => if read? == 0 {
                    return Err(End::Quiet);
                },
            }
            if idle {
                deadline = Some(after(self.shared.config.frame_timeout));
            }
        }
    }

    async fn answer(&mut self, request: DownloadRequest) -> Result<DownloadResponse, End> {
        let status = self.attached.as_ref().map(|(attached, _)| attached.status());
        Ok(match conversation::step(request, status) {
            Step::Answer(answer) => answer,
            Step::Describe => DownloadResponse::Status(self.describe()),
            Step::ShutDown => DownloadResponse::ShuttingDown,
            Step::Attach(attach) => self.attach(attach).await?,
            Step::Wait(limit) => self.wait(limit).await?,
            Step::Detach(answer) => {
                self.attached = None;
                answer
            }
        })
    }

    fn describe(&self) -> DownloadDaemonStatus {
        DownloadDaemonStatus {
            version: self.shared.config.release.clone(),
            active_downloads: self.shared.downloads.active(),
            connected_clients: self.shared.downloads.clients(),
            uptime_secs: self.shared.began.elapsed().as_secs(),
            endpoint: self.shared.endpoint.clone(),
        }
    }

    async fn attach(&mut self, attach: DownloadAttach) -> Result<DownloadResponse, End> {
        let answering = self.shared.counters.answering();
        let downloads = &self.shared.downloads;
        let attaching = downloads.attach(attach);
        let result = while_there(&mut self.stream, &mut self.inbound, attaching).await?;
        Ok(match result {
            Ok(attached) => {
                let answer = conversation::attached(&attached);
                self.attached = Some((attached, answering));
                answer
            }
            Err(message) => refusal(message),
        })
    }

    async fn wait(&mut self, limit: Option<Duration>) -> Result<DownloadResponse, End> {
        if let Some((attached, _)) = &mut self.attached {
            let stopped = stopped(&mut self.stop_receiver);
            let waiting = async {
                tokio::select! {
                    () = attached.progress() => {}
                    () = sleep(limit) => {}
                    _ = stopped => {}
                }
            };
            while_there(&mut self.stream, &mut self.inbound, waiting).await?;
        }
        Ok(match &self.attached {
            Some((attached, _)) => conversation::waited(attached.status()),
            None => refusal(conversation::NOT_ATTACHED),
        })
    }

    async fn send(&mut self, answer: &DownloadResponse) -> Result<(), End> {
        let frame = match wire_v15::encode_in(answer, self.generation) {
            Ok(frame) => frame,
            Err(error) => {
                let replacement = refusal(format!("the answer cannot be sent: {error}"));
                wire_v15::encode_in(&replacement, self.generation).map_err(io::Error::other)?
            }
        };
        self.shared.counters.answered(Dialect::Bincode(self.generation));
        match timeout(self.shared.config.reply_timeout, self.stream.write_all(&frame)).await {
            Ok(written) => Ok(written?),
            Err(_) => Err(End::Quiet),
        }
    }

    async fn refuse(&mut self, why: String) {
        if self.send(&refusal(why)).await.is_err() || self.stream.shutdown().await.is_err() {
            return;
        }
        let listen = async {
            let mut heard = 0;
            let mut sink = BytesMut::with_capacity(AHEAD);
            while heard < 2 * wire_frame::MAX_LENGTH as usize {
                sink.clear();
                match self.stream.read_buf(&mut sink).await {
                    Ok(0) | Err(_) => break,
                    Ok(read) => heard += read,
                }
            }
        };
        // The refusal has been sent, so a peer that continues to write is cut off.
        let _ = timeout(LINGER, listen).await;
    }
}

/// Runs `work` until it ends or the peer leaves; buffers requests that the peer sends ahead.
async fn while_there<T>(
    stream: &mut Stream,
    inbound: &mut Inbound,
    work: impl Future<Output = T>,
) -> Result<T, End> {
    tokio::pin!(work);
    loop {
        // Beyond this the peer's own buffer holds what it says, and its leaving is seen after the answer.
        let listens = inbound.received.len() < AHEAD;
        tokio::select! {
            done = &mut work => return Ok(done),
            read = inbound.fill(stream), if listens => if read? == 0 {
                return Err(End::Quiet);
            },
        }
    }
}

async fn sleep(limit: Option<Duration>) {
    match limit.and_then(|limit| Instant::now().checked_add(limit)) {
        Some(until) => tokio::time::sleep_until(until).await,
        None => std::future::pending().await,
    }
}
