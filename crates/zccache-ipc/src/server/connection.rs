//! One connection of a server, from its first byte to its last.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use ipc_endpoint::Stream;
use ipc_model::{Request, RequestKind, Response};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::{SemaphorePermit, watch};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use wire_dispatch::{Coming, CutError, DecodeError, Foreign, Lane, Refusal, ReplyTo, Step};
use wire_frame::Pieces;

use super::admission::{Admission, place_of_another};
use super::figures::Counters;
use super::idle::Place;
use super::shared::{Shared, permits_for};
use super::tasks::Listed;
use super::waiting::{Next, has_passed};
use super::{Ended, stop, stopped};
use crate::inbound::Inbound;
use crate::spare::KEPT;
use crate::timer::at_once_or_within;
use crate::{Caller, ConnectionId, Service, outbound, spare};

/// How long a peer that is being turned away may take to say in which framing it wants to hear so.
const DOORMAN_PATIENCE: Duration = Duration::from_secs(1);

/// How long, and for how many bytes, a peer is listened to after it has been refused, so that it can
/// finish writing and read the refusal.
const LINGER: Duration = Duration::from_millis(500);
const LINGER_BYTES: usize = 32 * 1024 * 1024;

/// How long the rest of a frame is waited for once the server stops.
const LAST_BYTES: Duration = Duration::from_millis(250);

/// What the sender of a frame that does not arrive in time is told.
const UNFINISHED: &str = "the request did not arrive in time, and was not acted on";

/// Why a connection ended, where that is worth a word.
enum End {
    /// The peer left, or the server stops: nothing to say.
    Quiet,
    /// A deadline passed.
    Late(&'static str),
    /// The operating system failed.
    Io(std::io::Error),
}

impl From<std::io::Error> for End {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

/// The memory budget has no room.
struct NoRoom;

struct Connection<'a, S> {
    shared: &'a Shared<S>,
    stop: watch::Sender<Option<Ended>>,
    stream: Stream,
    caller: Caller,
    inbound: Inbound,
    /// Replies that are not sent yet: those to requests that came together leave together.
    outbound: Pieces,
    place: Option<Arc<Place>>,
}

/// Serves `stream` until it ends.
pub(super) async fn run<S: Service>(
    shared: Arc<Shared<S>>,
    id: ConnectionId,
    stop: watch::Sender<Option<Ended>>,
    stream: Stream,
    admission: Admission,
    _listed: Listed,
) {
    let caller = Caller { connection: id, peer: *stream.peer() };
    Counters::count(&shared.counters.open);
    // Also runs when the task is cut off.
    let _goodbye = Goodbye { shared: &shared, id };
    let mut connection = Connection {
        shared: &shared,
        stop,
        stream,
        caller,
        inbound: Inbound::default(),
        outbound: Pieces::new(),
        place: None,
    };
    let (place, doorman) = match admission {
        Admission::Served(place) => (Some(place), None),
        // Held until the peer has gone again, or has a place.
        Admission::AtTheDoor(doorman) => (place_of_another(&shared).await, Some(doorman)),
    };
    let result = match place {
        Some(_held) => {
            drop(doorman);
            connection.place = Some(shared.idle.take(id));
            connection.serve().await
        }
        // Rare, and large: not in the memory of every connection.
        None => Box::pin(connection.turn_away()).await,
    };
    match result {
        Ok(()) | Err(End::Quiet) => {}
        Err(End::Late(what)) => tracing::info!(connection = id.0, "closed: {what}"),
        Err(End::Io(error)) => {
            tracing::debug!(
                connection = id.0,
                error = &error as &dyn std::error::Error,
                "the connection failed"
            );
        }
    }
}

struct Goodbye<'a, S: Service> {
    shared: &'a Shared<S>,
    id: ConnectionId,
}

impl<S: Service> Drop for Goodbye<'_, S> {
    fn drop(&mut self) {
        self.shared.counters.open.fetch_sub(1, Ordering::Relaxed);
        self.shared.idle.free(self.id);
        self.shared.service.disconnected(self.id);
    }
}

impl<'a, S: Service> Connection<'a, S> {
    async fn serve(&mut self) -> Result<(), End> {
        let config = &self.shared.config;
        let mut stop_receiver = self.stop.subscribe();
        let place = self.place.clone().unwrap_or_default();
        let first = Instant::now() + config.first_frame_timeout;
        // Made once: to wait for them anew for each request would cost as much as answering it.
        let (mut asked_to_stop, mut asked_to_leave) =
            (pin!(stopped(&mut stop_receiver)), pin!(place.asked_to_leave()));
        let mut alarm = pin!(Some(sleep_until(first)));
        let mut deadline = Some(first);
        let mut late = "nothing was sent";
        let mut memory = None;
        let mut stopping = false;
        loop {
            match self.shared.machine.step(&mut self.inbound.received) {
                Step::Read { frame, .. } => {
                    self.flush().await?;
                    if deadline.is_none() && alarm.is_some() {
                        // A runtime with a timer asks for the time whenever it waits.
                        alarm.set(None);
                    }
                    if let Some(coming) = &frame
                        && memory.is_none()
                    {
                        memory = Some(Box::pin(self.make_room(coming)).await?);
                        // What the peer waited for us does not count against it.
                        deadline = Some(Instant::now() + config.frame_timeout);
                    }
                    let was_empty = self.inbound.is_empty();
                    let next = poll_fn(|cx| {
                        if !stopping && asked_to_stop.as_mut().poll(cx).is_ready() {
                            return Poll::Ready(Next::Stop);
                        }
                        if let Poll::Ready(read) = self.inbound.poll_fill(&mut self.stream, cx) {
                            return Poll::Ready(Next::Read(read));
                        }
                        if deadline.is_some_and(|deadline| has_passed(alarm.as_mut(), deadline, cx)) {
                            return Poll::Ready(Next::Late);
                        }
                        // After what has arrived: a request is not closed upon. Its client finds the
                        // connection closed before it sends, and makes another.
                        if was_empty && asked_to_leave.as_mut().poll(cx).is_ready() {
                            return Poll::Ready(Next::Leave);
                        }
                        Poll::Pending
                    });
                    match next.await {
                        Next::Stop | Next::Leave if was_empty => return Err(End::Quiet),
                        Next::Stop | Next::Leave => {
                            // A request that is almost here is let in; one that is not has not been acted on.
                            stopping = true;
                            deadline = Some(Instant::now() + LAST_BYTES);
                            continue;
                        }
                        Next::Read(Ok(0)) => return Err(End::Quiet),
                        Next::Read(read) => drop(read?),
                        Next::Late => {
                            if let Some(coming) = &frame {
                                Box::pin(self.refuse(&coming.reply_to, &Response::error(UNFINISHED))).await?;
                            }
                            return Err(End::Late(late));
                        }
                    }
                    if was_empty {
                        place.work();
                        deadline = Some(Instant::now() + config.frame_timeout);
                        late = "a frame was begun and not finished";
                    }
                }
                Step::Answer { request, reply_to } => {
                    // The request is read: its buffer is the service's now, and small or soon gone.
                    memory = None;
                    self.answer(request, &reply_to).await?;
                    self.inbound.shrink();
                    if self.stop.borrow().is_some() {
                        return self.flush().await;
                    }
                    deadline = self.between_frames(&place);
                }
                Step::Reject(refusal) => {
                    memory = None;
                    self.note(&refusal);
                    self.reply(&refusal.reply_to, &refusal.reply, true).await?;
                    self.inbound.shrink();
                    deadline = self.between_frames(&place);
                }
                Step::Foreign { frame, refusal } => {
                    memory = None;
                    if !self.extend(frame).await? {
                        self.note(&refusal);
                        return self.refuse(&refusal.reply_to, &refusal.reply).await;
                    }
                    deadline = self.between_frames(&place);
                }
                Step::Refuse(refusal) => {
                    self.note(&refusal);
                    return Box::pin(self.refuse(&refusal.reply_to, &refusal.reply)).await;
                }
            }
        }
    }

    /// Lets the extension answer a frame of its protocol; `false` where there is none, or it does not.
    async fn extend(&mut self, frame: Foreign) -> Result<bool, End> {
        let Some(extension) = &self.shared.config.extension else { return Ok(false) };
        if extension.protocol() != frame.protocol {
            return Ok(false);
        }
        let Some(reply) = extension.answer(frame.envelope).await else { return Ok(false) };
        // Replies leave in the order of what they answer.
        self.flush().await?;
        match timeout(self.shared.config.reply_timeout, self.stream.write_all(&reply)).await {
            Ok(written) => written?,
            Err(_) => return Err(End::Late("the reply was not read")),
        }
        Ok(true)
    }

    /// Between frames a connection may stay idle; the next frame may be here in part.
    fn between_frames(&self, place: &Place) -> Option<Instant> {
        if self.inbound.is_empty() {
            self.shared.idle.rest(place);
            return None;
        }
        Some(Instant::now() + self.shared.config.frame_timeout)
    }

    fn note(&self, refusal: &Refusal) {
        Counters::count(&self.shared.counters.refused);
        if let DecodeError::Cut(CutError::Version { received }) = refusal.cause {
            self.shared.service.version_refused(received);
        }
        let error = &refusal.cause as &dyn std::error::Error;
        tracing::info!(connection = self.caller.connection.0, lane = %refusal.reply_to.lane(), error, "refused");
    }

    async fn answer(&mut self, request: Request, reply_to: &ReplyTo) -> Result<(), End> {
        let answering = self.shared.counters.answering();
        let kind = request.kind();
        let again = request.is_idempotent();
        let shared = self.shared;
        let turn = shared.turns.try_acquire();
        if turn.is_err() && !is_control(kind) {
            Counters::count(&shared.counters.turned_away);
            return self.reply(reply_to, &shared.backpressure("too many requests"), true).await;
        }
        let caller = self.caller.clone();
        let mut call = pin!(shared.service.call(request, &caller));
        let response = match poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await {
            Poll::Ready(response) => response,
            Poll::Pending => {
                // Work, and earlier replies do not wait for it.
                self.flush().await?;
                tokio::select! {
                    biased;
                    response = call => response,
                    // Nobody is left to answer: what runs for the peer is given up.
                    () = self.stream.hung_up() => return Err(End::Quiet),
                }
            }
        };
        shared.counters.answered(reply_to.lane());
        drop(turn);
        let mut result = self.reply(reply_to, &response, again).await;
        drop(answering);
        tracing::trace!(connection = self.caller.connection.0, request = %kind, response = %response.kind(), "answered");
        if matches!(response, Response::ShuttingDown) {
            result = match result {
                Ok(()) => self.flush().await,
                failed => failed,
            };
            // Even if the client did not wait for the answer.
            stop(&self.stop, Ended::Shutdown);
        }
        result
    }

    /// Takes what a frame needs from the memory budget, then makes its buffer.
    async fn make_room(&mut self, coming: &Coming) -> Result<Option<SemaphorePermit<'a>>, End> {
        let permit = match self.reserve(coming.frame_len, self.shared.config.frame_timeout).await {
            Ok(permit) => permit,
            Err(NoRoom) => {
                let response = self.shared.backpressure("too many large requests");
                self.refuse(&coming.reply_to, &response).await?;
                return Err(End::Late("there was no room for a large request"));
            }
        };
        self.inbound.make_room_for(coming.frame_len);
        Ok(permit)
    }

    /// Waits until the memory budget has room for `bytes`; small ones are free.
    async fn reserve(&self, bytes: usize, limit: Duration) -> Result<Option<SemaphorePermit<'a>>, NoRoom> {
        let permits = permits_for(bytes);
        if permits == 0 {
            return Ok(None);
        }
        match at_once_or_within(limit, self.shared.memory.acquire_many(permits)).await {
            Some(Ok(permit)) => Ok(Some(permit)),
            Some(Err(_)) | None => {
                Counters::count(&self.shared.counters.turned_away);
                Err(NoRoom)
            }
        }
    }

    /// Tells a peer for which there is no place so, in the framing of its first request.
    async fn turn_away(&mut self) -> Result<(), End> {
        Counters::count(&self.shared.counters.turned_away);
        let deadline = Instant::now() + DOORMAN_PATIENCE;
        let reply_to = loop {
            match self.shared.machine.step(&mut self.inbound.received) {
                Step::Read { frame: None, .. } => {
                    match timeout_at(deadline, self.inbound.fill(&mut self.stream)).await {
                        Ok(Ok(0)) => return Err(End::Quiet),
                        Ok(read) => drop(read?),
                        Err(_) => break ReplyTo::lane_only(Lane::V15),
                    }
                }
                // The head tells the framing; the body is not waited for.
                Step::Read { frame: Some(coming), .. } => break coming.reply_to,
                Step::Answer { reply_to, .. } => break reply_to,
                Step::Reject(refusal) | Step::Refuse(refusal) | Step::Foreign { refusal, .. } => {
                    return self.refuse(&refusal.reply_to, &refusal.reply).await;
                }
            }
        };
        let response = self.shared.backpressure("too many connections");
        self.refuse(&reply_to, &response).await
    }

    /// Sends a last reply, and listens a little so that the peer can finish writing and read it.
    async fn refuse(&mut self, reply_to: &ReplyTo, reply: &Response) -> Result<(), End> {
        self.reply(reply_to, reply, true).await?;
        self.flush().await?;
        self.stream.shutdown().await?;
        let mut sink = Inbound::default();
        let listen = async {
            let mut heard = 0;
            while heard < LINGER_BYTES {
                sink.received.clear();
                match sink.fill(&mut self.stream).await {
                    Ok(0) | Err(_) => break,
                    Ok(read) => heard += read,
                }
            }
        };
        // A peer that goes on talking is not listened to any longer; the refusal has been sent.
        let _ = timeout(LINGER, listen).await;
        Ok(())
    }

    /// Makes a reply ready to be sent, and sends it at once where it is large. One that finds no room in memory
    /// says so: as `Backpressure` where the request may be made `again`, and otherwise as an error, because it
    /// has been acted on.
    async fn reply(&mut self, reply_to: &ReplyTo, response: &Response, again: bool) -> Result<(), End> {
        let memory = self.reserve(response_size(response), self.shared.config.reply_timeout).await;
        let busy;
        let response = match &memory {
            Ok(_) => response,
            Err(NoRoom) => {
                busy = if again {
                    self.shared.backpressure("too many large replies")
                } else {
                    Response::error("the request was acted on, and there was no memory for its reply")
                };
                &busy
            }
        };
        if self.outbound.is_empty() {
            self.outbound = spare::take_pieces();
        }
        if let Err(error) = self.shared.machine.reply_pieces(reply_to, response, &mut self.outbound) {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(connection = self.caller.connection.0, error, "a reply was replaced by an error");
        }
        if self.outbound.len() > KEPT { self.flush().await } else { Ok(()) }
    }

    /// Sends the replies that are ready.
    async fn flush(&mut self) -> Result<(), End> {
        if self.outbound.is_empty() {
            return Ok(());
        }
        let write = outbound::write(&mut self.stream, &self.outbound);
        match at_once_or_within(self.shared.config.reply_timeout, write).await {
            Some(written) => written?,
            None => return Err(End::Late("the reply was not read")),
        }
        spare::give_pieces(&mut self.outbound);
        Ok(())
    }
}

/// What is answered however busy the daemon is, so that it can be looked at and stopped.
const fn is_control(kind: RequestKind) -> bool {
    matches!(kind, RequestKind::Ping | RequestKind::Status | RequestKind::Shutdown)
}

/// About how many bytes the frame of `response` takes: its byte strings, which are all that can be large.
fn response_size(response: &Response) -> usize {
    wire_v15::bulk(response)
}
