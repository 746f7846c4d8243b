//! One connection of a server, from its first byte to its last.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use ipc_model::{Request, RequestKind, Response};
use ipc_os::Stream;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::{SemaphorePermit, watch};
use tokio::time::{Instant, timeout};
use wire_dispatch::{Coming, CutError, DecodeError, Foreign, Refusal, ReplyTo, Step};
use wire_frame::Pieces;

mod replying;

use super::admission::{Admission, place_of_another};
use super::figures::Counters;
use super::idle::Taken;
use super::shared::{Shared, permits_for};
use super::tasks::Listed;
use super::waiting::{Next, Registered, has_passed, is_ready};
use super::{Ended, stop, stopped};
use crate::{Caller, ConnectionId, Service};
use ipc_connection::inbound::Inbound;
use ipc_connection::timer::{after, at_once_or_within};

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
    };
    let (place, doorman) = match admission {
        Admission::Served(place) => (Some(place), None),
        // Held until the peer has gone again, or has a place.
        Admission::AtTheDoor(doorman) => (place_of_another(&shared).await, Some(doorman)),
    };
    let result = match place {
        Some(_held) => {
            drop(doorman);
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
        self.shared.service.disconnected(self.id);
    }
}

impl<'a, S: Service> Connection<'a, S> {
    async fn serve(&mut self) -> Result<(), End> {
        let config = &self.shared.config;
        // Made once, and not before there is something to wait for: a connection for one request may never
        // get there, and to wait for them anew for each request would cost as much as answering it.
        let (mut asked_to_stop, mut asked_to_leave) = (pin!(None), pin!(None));
        let (mut news, mut place) = (None, None);
        let mut registered = Registered::default();
        let mut alarm = pin!(None);
        let mut deadline = Some(after(config.first_frame_timeout));
        let mut late = "nothing was sent";
        let mut memory = None;
        let mut stopping = false;
        let mut is_first = true;
        loop {
            let step = if self.inbound.is_empty() {
                Step::Read { needed: 1, frame: None }
            } else {
                self.shared.machine.step(&mut self.inbound.received)
            };
            match step {
                Step::Read { frame, .. } => {
                    self.flush().await?;
                    let was_empty = self.inbound.is_empty();
                    if deadline.is_none() && !was_empty {
                        deadline = Some(after(config.frame_timeout));
                        late = "a frame was begun and not finished";
                    }
                    if deadline.is_none() && alarm.is_some() {
                        // A runtime with a timer asks for the time whenever it waits.
                        alarm.set(None);
                    }
                    if let Some(coming) = &frame
                        && memory.is_none()
                    {
                        memory = Some(Box::pin(self.make_room(coming)).await?);
                        // What the peer waited for us does not count against it.
                        deadline = Some(after(config.frame_timeout));
                    }
                    let next = poll_fn(|cx| {
                        if !stopping && self.is_stopped(news.as_ref()) {
                            return Poll::Ready(Next::Stop);
                        }
                        if let Poll::Ready(read) = self.inbound.poll_fill(&mut self.stream, cx) {
                            return Poll::Ready(Next::Read(read));
                        }
                        // Whoever has asked once has often left by now, and was waited for in vain then.
                        let place = place.get_or_insert_with(|| {
                            let receiver = self.stop.subscribe();
                            news = Some(unheard(&receiver));
                            asked_to_stop.set(Some(stopped(receiver)));
                            let taken = self.shared.idle.take(self.caller.connection);
                            match (was_empty, is_first) {
                                (true, true) => taken.begin(),
                                (true, false) => taken.rest(self.shared.idle.now()),
                                (false, _) => {}
                            }
                            asked_to_leave.set(Some(taken.asked_to_leave()));
                            taken
                        });
                        if registered.is_other(cx) {
                            if !stopping && is_ready(asked_to_stop.as_mut(), cx) {
                                return Poll::Ready(Next::Stop);
                            }
                            if !place.is_asked_to_leave() {
                                // Only so that it wakes: it is looked at last.
                                let _ = is_ready(asked_to_leave.as_mut(), cx);
                            }
                        }
                        if deadline.is_some_and(|deadline| has_passed(alarm.as_mut(), deadline, cx)) {
                            return Poll::Ready(Next::Late);
                        }
                        // After what has arrived: a request is not closed upon. Its client finds the
                        // connection closed before it sends, and makes another.
                        if was_empty && place.is_asked_to_leave() {
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
                        if let Some(place) = &place {
                            place.work();
                        }
                        // That of the frame is set if it turns out that there is more to come.
                        deadline = None;
                    }
                }
                Step::Answer { request, reply_to } => {
                    // The request is read: its buffer is the service's now, and small or soon gone.
                    memory = None;
                    is_first = false;
                    let now = self.answer(request, &reply_to).await?;
                    self.inbound.shrink();
                    if self.is_stopped(news.as_ref()) {
                        return self.flush().await;
                    }
                    self.rest(place.as_ref(), now);
                    deadline = None;
                }
                Step::Reject(refusal) => {
                    memory = None;
                    is_first = false;
                    self.note(&refusal);
                    self.reply(&refusal.reply_to, &refusal.reply, true).await?;
                    self.inbound.shrink();
                    self.rest(place.as_ref(), self.shared.idle.now());
                    deadline = None;
                }
                Step::Foreign { frame, refusal } => {
                    memory = None;
                    if !self.extend(frame).await? {
                        self.note(&refusal);
                        return self.refuse(&refusal.reply_to, &refusal.reply).await;
                    }
                    // A released daemon closes after a probe, which it answers as the first frame only
                    // (`docs/spec/running-process.md#probe`): a prober may wait for that.
                    if is_first && self.inbound.is_empty() {
                        return Err(End::Quiet);
                    }
                    is_first = false;
                    self.rest(place.as_ref(), self.shared.idle.now());
                    deadline = None;
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

    /// Whether the server ends. `news` needs no lock for that, and takes one to make.
    fn is_stopped(&self, news: Option<&watch::Receiver<Option<Ended>>>) -> bool {
        match news {
            Some(news) => !matches!(news.has_changed(), Ok(false)),
            None => self.stop.borrow().is_some(),
        }
    }

    /// Between frames a connection may stay idle; the next frame may be here in part.
    fn rest(&self, place: Option<&Taken<'_>>, now: u64) {
        if self.inbound.is_empty()
            && let Some(place) = place
        {
            place.rest(now);
        }
    }

    fn note(&self, refusal: &Refusal) {
        Counters::count(&self.shared.counters.refused);
        if let DecodeError::Cut(CutError::Version { received }) = refusal.cause {
            self.shared.service.version_refused(received);
        }
        let error = &refusal.cause as &dyn std::error::Error;
        tracing::info!(connection = self.caller.connection.0, lane = %refusal.reply_to.lane(), error, "refused");
    }

    /// Answers a request, and tells when that was done in milliseconds.
    async fn answer(&mut self, request: Request, reply_to: &ReplyTo) -> Result<u64, End> {
        let answering = self.shared.counters.answering();
        let kind = request.kind();
        let again = request.is_idempotent();
        let shared = self.shared;
        let turn = shared.turns.take();
        if turn.is_none() && !is_control(kind) {
            Counters::count(&shared.counters.turned_away);
            self.reply(reply_to, &shared.backpressure("too many requests"), true).await?;
            return Ok(answering.end());
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
        let now = answering.end();
        tracing::trace!(connection = self.caller.connection.0, request = %kind, response = %response.kind(), "answered");
        if matches!(response, Response::ShuttingDown) {
            result = match result {
                Ok(()) => self.flush().await,
                failed => failed,
            };
            // Even if the client did not wait for the answer.
            stop(&self.stop, Ended::Shutdown);
        }
        result.map(|()| now)
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
}

/// Returns a receiver for which the end of the server has changed unless there is none yet.
fn unheard(receiver: &watch::Receiver<Option<Ended>>) -> watch::Receiver<Option<Ended>> {
    let mut news = receiver.clone();
    if news.borrow().is_some() {
        news.mark_changed();
    }
    news
}

/// What is answered however busy the daemon is, so that it can be looked at and stopped.
const fn is_control(kind: RequestKind) -> bool {
    matches!(kind, RequestKind::Ping | RequestKind::Status | RequestKind::Shutdown)
}
