//! One connection of a server, from its first byte to its last.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use ipc_model::Response;
use ipc_os::Stream;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use wire_dispatch::{CutError, DecodeError, Foreign, Refusal, Step};
use wire_frame::Pieces;

mod answering;
mod machine;
mod memory;
mod progress;
mod replying;
mod unreported;

use super::admission::{Admission, evict_for_place};
use super::figures::Counters;
use super::idle::Taken;
use super::reply_memory::ReplyMemory;
use super::shared::Shared;
use super::tasks::Listed;
use super::waiting::{Next, Registered, has_passed, is_ready};
use super::{Ended, stopped};
use crate::{Caller, ConnectionId, Service};
use ipc_connection::inbound::Inbound;
use ipc_connection::timer::after;
use machine::{Do, Event, Machine};
use memory::NoRoom;
pub(super) use replying::refuse_at_once;
use unreported::Unreported;

/// Frames of at least this size are decoded outside of the runtime's threads.
const DECODED_OFFLOADED: usize = 256 * 1024;

/// Frames of at least this size are decoded in turn.
///
/// A frame with a field in every few bytes takes milliseconds. If a thread decoded the frames of many connections
/// one after the other, a small request would wait for all of them.
const DECODED_IN_TURN: usize = 16 * 1024;

/// Error text for a frame that does not arrive in time.
const UNFINISHED: &str = "the request did not arrive in time, and was not acted on";

/// Reason for the end of a connection.
enum End {
    /// The peer left or the server stops; not logged.
    Quiet,
    /// A deadline passed.
    Late(&'static str),
    /// The operating system reported an error.
    Io(std::io::Error),
}

impl From<std::io::Error> for End {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

struct Connection<'a, S> {
    shared: &'a Shared<S>,
    stop: watch::Sender<Option<Ended>>,
    stream: Stream,
    caller: Caller,
    inbound: Inbound,
    /// True if a request showed that its client reads `CompileProgress`.
    reads_progress: bool,
    /// Queued replies: replies to requests that arrived together are sent together.
    outbound: Pieces,
    unreported: Unreported,
}

/// Serves `stream` until it ends.
pub(super) async fn run<S: Service>(
    shared: Arc<Shared<S>>,
    id: ConnectionId,
    stop: watch::Sender<Option<Ended>>,
    stream: Stream,
    admission: Admission,
    _listed: Option<Listed>,
) {
    let caller = Caller { connection: id, peer: *stream.peer(), memory: ReplyMemory::new(&shared.replies) };
    Counters::count(&shared.counters.open);
    // Also runs if the task is aborted.
    let _disconnect = Disconnect { shared: &shared, id };
    let mut connection = Connection {
        shared: &shared,
        stop,
        stream,
        caller,
        inbound: Inbound::default(),
        reads_progress: false,
        outbound: Pieces::new(),
        unreported: Unreported::default(),
    };
    let (place, waiting) = match admission {
        Admission::Served(place) => (Some(place), None),
        // Held until the peer is refused or has a place.
        Admission::Waiting(waiting) => (evict_for_place(&shared).await, Some(waiting)),
    };
    let result = match place {
        Some(_held) => {
            drop(waiting);
            connection.serve().await
        }
        // Boxed: the future is large and rare, and would enlarge every connection.
        None => Box::pin(connection.refuse_for_place()).await,
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

struct Disconnect<'a, S: Service> {
    shared: &'a Shared<S>,
    id: ConnectionId,
}

impl<S: Service> Drop for Disconnect<'_, S> {
    fn drop(&mut self) {
        self.shared.counters.open.fetch_sub(1, Ordering::Relaxed);
        self.shared.service.disconnected(self.id);
    }
}

impl<'a, S: Service> Connection<'a, S> {
    async fn serve(&mut self) -> Result<(), End> {
        let config = &self.shared.config;
        // Made once, at the first wait: a connection for one request may never wait, and new futures for
        // each request would cost as much as its answer.
        let (mut asked_to_stop, mut evicted) = (pin!(None), pin!(None));
        let (mut news, mut place) = (None, None);
        let mut registered = Registered::default();
        let mut alarm = pin!(None);
        let mut machine = Machine::new(after(config.first_frame_timeout), config.frame_timeout);
        let mut memory = None;
        let mut coming = None;
        let mut refusal = None;
        let mut next = Do::Look;
        loop {
            let event = match next {
                Do::Look => match self.decode().await? {
                    Step::Read { frame, .. } => {
                        self.flush().await?;
                        coming = frame;
                        Event::Partial { is_empty: self.inbound.is_empty(), is_sized: coming.is_some() }
                    }
                    Step::Answer { request, reply_to } => {
                        // Before the service works: nobody reads from this buffer meanwhile.
                        self.inbound.shrink();
                        let now = self.answer(request, &reply_to, memory.take()).await?;
                        let is_stopped = self.is_stopped(news.as_ref());
                        if !is_stopped {
                            self.rest(place.as_ref(), now);
                        }
                        Event::Answered { is_stopped }
                    }
                    Step::Reject(rejected) => {
                        memory = None;
                        self.record(&rejected);
                        self.reply(&rejected.reply_to, &rejected.reply, true).await?;
                        self.inbound.shrink();
                        self.rest(place.as_ref(), self.shared.idle.now());
                        Event::Rejected
                    }
                    Step::Foreign { frame, refusal: unanswered } => {
                        let is_answered = self.answer_foreign(frame).await?;
                        memory = None;
                        self.inbound.shrink();
                        if is_answered {
                            self.rest(place.as_ref(), self.shared.idle.now());
                        }
                        refusal = Some(unanswered);
                        Event::Foreign { is_answered, is_empty: self.inbound.is_empty() }
                    }
                    Step::Refuse(refused) => {
                        refusal = Some(refused);
                        Event::Refused
                    }
                },
                Do::MakeRoom => match &coming {
                    Some(coming) => match Box::pin(self.make_room(coming)).await {
                        Ok((permit, waited)) => {
                            memory = permit;
                            Event::Room(waited)
                        }
                        Err(NoRoom) => Event::NoRoom,
                    },
                    None => Event::Room(Duration::ZERO),
                },
                Do::Wait => {
                    if machine.deadline().is_none() && alarm.is_some() {
                        // A runtime with a timer reads the clock at each wait.
                        alarm.set(None);
                    }
                    let was_empty = machine.is_empty();
                    let arrived = poll_fn(|cx| {
                        if !machine.is_stopping() && self.is_stopped(news.as_ref()) {
                            return Poll::Ready(Next::Stop);
                        }
                        if let Poll::Ready(read) = self.inbound.poll_fill(&mut self.stream, cx) {
                            return Poll::Ready(Next::Read(read));
                        }
                        // Made after the first read: a peer with one request has often left by now.
                        let place = place.get_or_insert_with(|| {
                            let receiver = self.stop.subscribe();
                            news = Some(unheard(&receiver));
                            asked_to_stop.set(Some(stopped(receiver)));
                            let taken = self.shared.idle.take(self.caller.connection);
                            match (was_empty, machine.is_first()) {
                                (true, true) => taken.begin(),
                                (true, false) => taken.rest(self.shared.idle.now()),
                                (false, _) => {}
                            }
                            evicted.set(Some(taken.evicted()));
                            taken
                        });
                        if registered.replace(cx) {
                            if !machine.is_stopping() && is_ready(asked_to_stop.as_mut(), cx) {
                                return Poll::Ready(Next::Stop);
                            }
                            if !place.is_evicted() {
                                // Polled to register the waker only; the place is checked last.
                                let _ = is_ready(evicted.as_mut(), cx);
                            }
                        }
                        if machine.deadline().is_some_and(|deadline| has_passed(alarm.as_mut(), deadline, cx))
                        {
                            return Poll::Ready(Next::Late);
                        }
                        // Checked after the read, so that an eviction does not discard a request. The client
                        // finds the connection closed before it sends, and connects again.
                        if was_empty && place.is_evicted() {
                            return Poll::Ready(Next::Leave);
                        }
                        Poll::Pending
                    });
                    match arrived.await {
                        Next::Stop | Next::Leave => Event::Stop,
                        Next::Read(Ok(0)) => Event::Closed,
                        Next::Read(read) => {
                            read?;
                            if was_empty && let Some(place) = &place {
                                place.work();
                            }
                            Event::Received
                        }
                        Next::Late => Event::Late,
                    }
                }
                Do::Flush => return self.flush().await,
                Do::Close(why) => return why.map_or(Err(End::Quiet), |why| Err(End::Late(why))),
                Do::RefuseUnfinished(why) => {
                    let reply_to = coming.map(|coming| coming.reply_to);
                    if let Some(reply_to) = reply_to {
                        Box::pin(self.refuse(&reply_to, &Response::error(UNFINISHED))).await?;
                    }
                    return Err(End::Late(why));
                }
                Do::RefuseLarge => {
                    if let Some(coming) = coming {
                        let response = self.shared.backpressure("too many large requests");
                        Box::pin(self.refuse(&coming.reply_to, &response)).await?;
                    }
                    return Err(End::Late("the memory budget had no room for a large request"));
                }
                Do::Refuse => {
                    if let Some(refusal) = refusal {
                        self.record(&refusal);
                        Box::pin(self.refuse(&refusal.reply_to, &refusal.reply)).await?;
                    }
                    return Ok(());
                }
            };
            next = machine.after(event, Instant::now);
        }
    }

    /// Decodes the received bytes and removes the first frame.
    ///
    /// Large frames are decoded outside of the runtime's threads, few at a time: 16 MiB of small fields take
    /// a large part of a second, and requests of other connections must not wait for it.
    async fn decode(&mut self) -> Result<Step, End> {
        if self.inbound.is_empty() {
            return Ok(Step::Read { needed: 1, frame: None });
        }
        let frame_len = self.inbound.whole().unwrap_or(0);
        if frame_len >= DECODED_OFFLOADED {
            return Box::pin(self.decode_offloaded()).await;
        }
        if frame_len >= DECODED_IN_TURN {
            return Box::pin(self.decode_in_turn()).await;
        }
        Ok(self.shared.machine.step(&mut self.inbound.received))
    }

    async fn decode_in_turn(&mut self) -> Result<Step, End> {
        // The semaphore is never closed.
        let _turn = self.shared.turns.acquire().await;
        // The requests that have arrived meanwhile are answered between two of these frames.
        tokio::task::yield_now().await;
        Ok(self.shared.machine.step(&mut self.inbound.received))
    }

    async fn decode_offloaded(&mut self) -> Result<Step, End> {
        // The semaphore is never closed.
        let _permit = self.shared.decoders.acquire().await;
        let machine = Arc::clone(&self.shared.machine);
        let mut received = std::mem::take(&mut self.inbound.received);
        let decoded = tokio::task::spawn_blocking(move || {
            let step = machine.step(&mut received);
            (step, received)
        });
        // The join fails if the runtime ends, or with a panic, which continues in this connection's task.
        match decoded.await {
            Ok((step, received)) => {
                self.inbound.received = received;
                Ok(step)
            }
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(End::Quiet),
            },
        }
    }

    /// Sends the extension's answer to a frame; returns false if no extension answers it.
    async fn answer_foreign(&mut self, frame: Foreign) -> Result<bool, End> {
        let Some(extension) = &self.shared.config.extension else { return Ok(false) };
        if extension.protocol() != frame.protocol {
            return Ok(false);
        }
        let Some(reply) = extension.answer(frame.envelope).await else { return Ok(false) };
        // Replies are sent in the order of their requests.
        self.flush().await?;
        match timeout(self.shared.config.reply_timeout, self.stream.write_all(&reply)).await {
            Ok(written) => written?,
            Err(_) => return Err(End::Late("the reply was not read")),
        }
        Ok(true)
    }

    /// Returns true if the server stops. Reading `news` takes no lock; making it takes one.
    fn is_stopped(&self, news: Option<&watch::Receiver<Option<Ended>>>) -> bool {
        match news {
            Some(news) => !matches!(news.has_changed(), Ok(false)),
            None => self.stop.borrow().is_some(),
        }
    }

    /// Marks the connection as idle unless a part of the next frame has arrived.
    fn rest(&self, place: Option<&Taken<'_>>, now: u64) {
        if self.inbound.is_empty()
            && let Some(place) = place
        {
            place.rest(now);
        }
    }

    fn record(&self, refusal: &Refusal) {
        Counters::count(&self.shared.counters.refused);
        if let DecodeError::Cut(CutError::Version { received }) = refusal.cause {
            self.shared.service.version_refused(received);
        }
        let error = &refusal.cause as &dyn std::error::Error;
        tracing::info!(connection = self.caller.connection.0, lane = %refusal.reply_to.lane(), error, "refused");
    }
}

/// Returns a receiver whose value counts as changed once the server stops.
fn unheard(receiver: &watch::Receiver<Option<Ended>>) -> watch::Receiver<Option<Ended>> {
    let mut news = receiver.clone();
    if news.borrow().is_some() {
        news.mark_changed();
    }
    news
}
