//! Several requests at once on one connection of a lane with ids.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::BytesMut;
use ipc_model::{Request, Response};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf, split};
use tokio::sync::oneshot;
use wire_dispatch::{DecodedWireMessage, FrameKind, Ids, Lane, Wires, encode};
use wire_v16::default_request_id;

use crate::IpcError;
use crate::config::Limits;
use crate::inbound::{Inbound, KEPT};
use crate::reply::of_request;

/// Requests that may be without a reply at one time, those that were given up included.
const MOST: usize = 4096;

/// A connection that matches replies to requests by their ids, whoever waits for them.
///
/// Nobody reads for its own sake: one of those who wait reads for all, and hands on to the next when its
/// own reply has come. A request that is given up leaves a place to which its late reply goes.
#[derive(Debug)]
pub(crate) struct Mux<S> {
    writer: tokio::sync::Mutex<Writer<S>>,
    reader: tokio::sync::Mutex<Reader<S>>,
    sent: Mutex<Sent>,
    /// Set when no further request should be sent on it: those that were are still answered.
    retired: AtomicBool,
    used: AtomicBool,
}

#[derive(Debug)]
struct Writer<S> {
    half: WriteHalf<S>,
    buffer: BytesMut,
    /// Whether a part of a frame was left unwritten, after which nothing can follow.
    torn: bool,
}

#[derive(Debug)]
struct Reader<S> {
    half: ReadHalf<S>,
    inbound: Inbound,
}

/// What was sent and not answered, oldest first.
#[derive(Debug, Default)]
struct Sent {
    waiting: VecDeque<Waiting>,
    last_number: u64,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    lane: Lane,
    ids: Ids,
    /// `None` once nobody waits for it any more.
    reply: Option<oneshot::Sender<Result<(Lane, Response), IpcError>>>,
}

/// What came of an exchange.
pub(crate) struct Exchanged {
    /// Whether the connection had carried an earlier exchange.
    pub(crate) reused: bool,
    /// Whether the whole request was sent.
    pub(crate) sent: bool,
    pub(crate) reply: Result<(Lane, Response), IpcError>,
}

impl<S: AsyncRead + AsyncWrite> Mux<S> {
    pub(crate) fn new(stream: S) -> Self {
        let (read, write) = split(stream);
        Self {
            writer: tokio::sync::Mutex::new(Writer { half: write, buffer: BytesMut::new(), torn: false }),
            reader: tokio::sync::Mutex::new(Reader { half: read, inbound: Inbound::default() }),
            sent: Mutex::default(),
            retired: AtomicBool::new(false),
            used: AtomicBool::new(false),
        }
    }

    /// Whether another request should be sent on it.
    pub(crate) fn is_usable(&self) -> bool {
        !self.retired.load(Ordering::Acquire)
    }

    /// Lets those who wait have their replies, and nobody else in.
    pub(crate) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }

    /// Sends `request` and waits for its reply.
    ///
    /// # Cancel safety
    ///
    /// Cancelling gives the request up: its late reply is dropped, and the connection is retired, because
    /// whatever keeps its daemon busy would keep the next request waiting too.
    pub(crate) async fn exchange(&self, request: &Request, lane: Lane, limits: Limits) -> Exchanged {
        let reused = self.used.swap(true, Ordering::AcqRel);
        let mut place = None;
        let limit = limits.send();
        let written = tokio::time::timeout(limit, self.send(request, lane, &mut place)).await;
        let written = written.unwrap_or(Err(IpcError::TimedOut(limit)));
        let Some(mut place) = place else {
            let reply = Err(written.err().unwrap_or(IpcError::Closed));
            return Exchanged { reused, sent: false, reply };
        };
        let (sent, limit) = match written {
            Ok(()) => (true, limits.reply()),
            // A daemon that refuses says so before it closes.
            Err(error) if error.is_disconnect() => (false, limits.last_words()),
            Err(error) => return Exchanged { reused, sent: false, reply: Err(error) },
        };
        let reply = match tokio::time::timeout(limit, self.wait(&mut place.reply)).await {
            Ok(reply) => {
                place.answered = true;
                reply
            }
            Err(_) if sent => Err(IpcError::TimedOut(limit)),
            Err(_) => Err(IpcError::Closed),
        };
        Exchanged { reused, sent, reply }
    }

    /// Sends a request, and takes a place among those who wait, in the order of the wire.
    async fn send<'a>(
        &'a self,
        request: &Request,
        lane: Lane,
        place: &mut Option<Place<'a, S>>,
    ) -> Result<(), IpcError> {
        let mut writer = self.writer.lock().await;
        if writer.torn {
            self.retire();
            return Err(IpcError::Closed);
        }
        let (number, ids) = self.ids_for(request, lane)?;
        let Writer { half, buffer, torn } = &mut *writer;
        buffer.clear();
        encode(request, lane, &ids, FrameKind::Request, buffer)?;
        let (tell, reply) = oneshot::channel();
        self.sent().waiting.push_back(Waiting { number, lane, ids, reply: Some(tell) });
        *place = Some(Place { mux: self, number, reply, answered: false });
        // Stays so when this future is dropped in the middle of a frame.
        *torn = true;
        let write = async {
            half.write_all(buffer).await?;
            half.flush().await
        };
        tokio::select! {
            biased;
            written = write => written?,
            never = self.read_meanwhile() => match never {},
        }
        *torn = false;
        if buffer.capacity() > KEPT {
            *buffer = BytesMut::new();
        }
        Ok(())
    }

    /// Ids that no request without a reply has.
    fn ids_for(&self, request: &Request, lane: Lane) -> Result<(u64, Ids), IpcError> {
        let mut sent = self.sent();
        if sent.waiting.len() >= MOST {
            drop(sent);
            self.retire();
            return Err(IpcError::Closed);
        }
        sent.last_number += 1;
        let number = sent.last_number;
        let default = default_request_id(request.kind());
        let taken = sent.waiting.iter().any(|waiting| waiting.ids.request_id == default);
        let request_id = if taken { format!("{default}.{number}") } else { default.to_owned() };
        Ok((number, Ids { request_id, frame_request_id: if lane == Lane::FrameV1 { number } else { 0 } }))
    }

    /// Waits until the reply is handed over, or reads for everybody until it comes.
    async fn wait(
        &self,
        reply: &mut oneshot::Receiver<Result<(Lane, Response), IpcError>>,
    ) -> Result<(Lane, Response), IpcError> {
        let mut reader = tokio::select! {
            biased;
            handed = &mut *reply => return handed.unwrap_or(Err(IpcError::Closed)),
            reader = self.reader.lock() => reader,
        };
        loop {
            // Also what was handed over in the last round, to this one among others.
            match reply.try_recv() {
                Ok(handed) => return handed,
                Err(oneshot::error::TryRecvError::Closed) => return Err(IpcError::Closed),
                Err(oneshot::error::TryRecvError::Empty) => {}
            }
            let _ = self.read(&mut reader).await;
        }
    }

    /// Reads for all as long as a request does not fit into the socket: a peer that answers in order takes
    /// no more of it before its replies are taken, those that nobody waits for included.
    async fn read_meanwhile(&self) -> std::convert::Infallible {
        let mut reader = self.reader.lock().await;
        while self.read(&mut reader).await {}
        drop(reader);
        std::future::pending().await
    }

    /// Hands over what has arrived, or waits for more; `false` once the connection has ended.
    async fn read(&self, Reader { half, inbound }: &mut Reader<S>) -> bool {
        let why = match inbound.take::<Response>(Wires::ALL) {
            Ok(Some(received)) => {
                self.hand_over(received);
                return true;
            }
            Ok(None) => match half.read_buf(inbound.space()).await {
                Ok(0) => IpcError::Closed,
                Ok(_) => return true,
                Err(error) => error.into(),
            },
            Err(error) => IpcError::of_decoding(error, Wires::ALL),
        };
        self.end(why);
        false
    }

    /// Gives a reply to the one who waits for it.
    fn hand_over(&self, received: DecodedWireMessage<Response>) {
        let mut sent = self.sent();
        let of_ids = |waiting: &Waiting| match received.lane {
            Lane::V15 => false,
            Lane::V16 => waiting.ids.request_id == received.ids.request_id,
            Lane::FrameV1 => waiting.ids == received.ids,
        };
        // A reply without ids is to the oldest request: a peer answers in order.
        let at = sent.waiting.iter().position(of_ids).unwrap_or(0);
        let Some(waiting) = sent.waiting.remove(at) else {
            drop(sent);
            let error = IpcError::ForeignReply { expected: Ids::default(), received: received.ids };
            return self.end(error);
        };
        drop(sent);
        let reply = of_request(waiting.lane, &waiting.ids, received)
            .map(|received| (received.lane, received.message));
        let foreign = reply.is_err();
        if let Some(tell) = waiting.reply {
            // Nobody listens when the call was given up a moment ago.
            let _ = tell.send(reply);
        }
        if foreign {
            self.end(IpcError::Closed);
        }
    }

    /// Ends the connection: the oldest who waits is told why, the others that it is closed.
    fn end(&self, why: IpcError) {
        self.retire();
        let mut why = Some(why);
        for waiting in self.sent().waiting.drain(..) {
            if let Some(tell) = waiting.reply {
                let _ = tell.send(Err(why.take().unwrap_or(IpcError::Closed)));
            }
        }
    }

    fn sent(&self) -> MutexGuard<'_, Sent> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among those who wait. Dropping it unanswered gives the request up, and keeps its place for the
/// late reply.
struct Place<'a, S: AsyncRead + AsyncWrite> {
    mux: &'a Mux<S>,
    number: u64,
    reply: oneshot::Receiver<Result<(Lane, Response), IpcError>>,
    answered: bool,
}

impl<S: AsyncRead + AsyncWrite> Drop for Place<'_, S> {
    fn drop(&mut self) {
        if self.answered {
            return;
        }
        self.mux.retire();
        let mut sent = self.mux.sent();
        if let Some(waiting) = sent.waiting.iter_mut().find(|waiting| waiting.number == self.number) {
            waiting.reply = None;
        }
    }
}
