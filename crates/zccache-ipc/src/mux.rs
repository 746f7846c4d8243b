//! Several requests at once on one connection of a lane with ids.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::future::{Future as _, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Buf as _;
use ipc_model::{Request, Response};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::time::Instant;
use wire_dispatch::{DecodedWireMessage, FrameKind, Lane, Wires, encode_pieces};
use wire_frame::Pieces;
use wire_v16::default_request_id;

use crate::config::Limits;
use crate::inbound::{Inbound, KEPT_BY_CLIENTS};
use crate::reply::{Expected, of_request};
use crate::timer::Timer;
use crate::{IpcError, spare};

/// Requests that may be without a reply at one time, those that were given up included.
const MOST: usize = 4096;

/// A connection that matches replies to requests by their ids, whoever waits for them.
///
/// Nobody reads for its own sake: one of those who wait drives the connection for all, and the next takes
/// over when its own reply has come. A request that is given up leaves a place to which its late reply goes.
#[derive(Debug)]
pub(crate) struct Mux<S> {
    driven: Mutex<Driven<S>>,
    /// Set when no further request should be sent on it: those that were are still answered.
    retired: AtomicBool,
}

/// What came of an exchange.
pub(crate) struct Exchanged {
    /// Whether the connection had carried an earlier exchange.
    pub(crate) reused: bool,
    /// Whether the whole request was sent.
    pub(crate) sent: bool,
    pub(crate) reply: Reply,
}

type Reply = Result<(Lane, Response), IpcError>;

/// The connection, and what was sent on it. The lock is held only for what does not wait.
#[derive(Debug)]
struct Driven<S> {
    stream: S,
    inbound: Inbound,
    /// Requests that are not written yet, and how many bytes of them are.
    outbound: Pieces,
    written: usize,
    /// What was sent and not answered, oldest first.
    waiting: VecDeque<Waiting>,
    last_number: u64,
    /// Whose task is woken when something arrives.
    driver: Option<u64>,
    timer: Timer,
    end: End,
}

/// Whether the connection goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Open,
    /// The peer takes nothing more. A daemon that refuses says so before it closes.
    LastWords,
    Over,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    expected: Expected<'static>,
    limits: Limits,
    /// How much of `outbound` ends with this request; `None` once that is written.
    unwritten: Option<usize>,
    /// How long, and until when, it may take to be written, or then to be answered.
    limit: std::time::Duration,
    deadline: Instant,
    state: State,
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a reply is moved here and out again, never copied")]
enum State {
    /// Somebody waits.
    Waiting(Option<Waker>),
    /// The reply is there.
    Answered(Reply),
    /// Nobody waits any more.
    GivenUp,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Mux<S> {
    pub(crate) fn new(stream: S) -> Self {
        let driven = Driven {
            stream,
            inbound: Inbound::keeping(KEPT_BY_CLIENTS),
            outbound: Pieces::new(),
            written: 0,
            waiting: VecDeque::new(),
            last_number: 0,
            driver: None,
            timer: Timer::default(),
            end: End::Open,
        };
        Self { driven: Mutex::new(driven), retired: AtomicBool::new(false) }
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
        let (reused, begun) = self.driven().begin(request, lane, limits);
        let (number, alone) = match begun {
            Ok(begun) => begun,
            Err(error) => {
                if !matches!(error, IpcError::Encode(_)) {
                    self.retire();
                }
                return Exchanged { reused, sent: false, reply: Err(error) };
            }
        };
        let mut place = Place { mux: self, number, left: false };
        // Others are under way: those who come in the same moment are sent with one write.
        let mut gathers = !alone;
        poll_fn(|cx| {
            let mut driven = self.driven();
            let may_write = !std::mem::take(&mut gathers);
            if !may_write {
                cx.waker().wake_by_ref();
            }
            if driven.drive(number, may_write, cx) == Usable::No {
                self.retire();
            }
            let Some((sent, reply)) = driven.leave(number) else { return Poll::Pending };
            place.left = true;
            if reply.is_err() {
                // What keeps its daemon busy would keep the next request waiting too.
                self.retire();
            }
            Poll::Ready(Exchanged { reused, sent, reply })
        })
        .await
    }

    fn driven(&self) -> MutexGuard<'_, Driven<S>> {
        self.driven.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a connection is worth another request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Usable {
    Yes,
    No,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Driven<S> {
    /// Takes a place among those who wait, in the order of the wire. Tells whether the connection had carried
    /// a request, then the number of the place and whether nobody else waits.
    fn begin(
        &mut self,
        request: &Request,
        lane: Lane,
        limits: Limits,
    ) -> (bool, Result<(u64, bool), IpcError>) {
        let reused = self.last_number > 0;
        if self.end != End::Open || self.waiting.len() >= MOST {
            return (reused, Err(IpcError::Closed));
        }
        let number = self.last_number + 1;
        let default = default_request_id(request.kind());
        let taken = self.waiting.iter().any(|waiting| waiting.expected.request_id == default);
        let request_id =
            if taken { Cow::Owned(format!("{default}.{number}")) } else { Cow::Borrowed(default) };
        let frame_request_id = if lane == Lane::FrameV1 { number } else { 0 };
        if self.outbound.is_empty() {
            self.outbound = spare::take_pieces();
        }
        let ids = (&*request_id, frame_request_id);
        if let Err(error) = encode_pieces(request, lane, ids, FrameKind::Request, &mut self.outbound) {
            return (reused, Err(error.into()));
        }
        self.last_number = number;
        let limit = limits.send();
        let alone = self.waiting.is_empty();
        self.waiting.push_back(Waiting {
            number,
            expected: Expected { lane, request_id, frame_request_id },
            limits,
            unwritten: Some(self.outbound.len()),
            limit,
            deadline: after(limit),
            state: State::Waiting(None),
        });
        (reused, Ok((number, alone)))
    }

    /// Writes what is to be written, and reads for all where nobody else does; wakes those whose reply came.
    fn drive(&mut self, number: u64, may_write: bool, cx: &mut Context<'_>) -> Usable {
        if may_write {
            self.write(cx);
        }
        if self.driver.is_none_or(|driver| driver == number || self.place(driver).is_none()) {
            self.driver = Some(number);
            self.read(cx);
            self.watch_the_time(cx);
        }
        if let Some(at) = self.place(number)
            && let State::Waiting(waker) = &mut self.waiting[at].state
        {
            match waker {
                Some(waker) => waker.clone_from(cx.waker()),
                None => *waker = Some(cx.waker().clone()),
            }
        }
        if self.end == End::Open { Usable::Yes } else { Usable::No }
    }

    fn write(&mut self, cx: &mut Context<'_>) {
        while self.end == End::Open && self.written < self.outbound.len() {
            let mut unsent = self.outbound.unsent();
            unsent.advance(self.written);
            let write = if self.outbound.as_slice().is_some() {
                Pin::new(&mut self.stream).poll_write(cx, unsent.chunk())
            } else {
                let stream = &mut self.stream;
                let mut write = pin!(stream.write_buf(&mut unsent));
                write.as_mut().poll(cx)
            };
            match write {
                Poll::Ready(Ok(0)) => self.cannot_write(IpcError::Closed),
                Poll::Ready(Ok(count)) => self.written += count,
                Poll::Ready(Err(error)) => self.cannot_write(error.into()),
                Poll::Pending => return self.note_written(),
            }
        }
        self.note_written();
        if self.written == self.outbound.len() && self.written > 0 {
            self.written = 0;
            spare::give_pieces(&mut self.outbound);
        }
    }

    /// Lets those whose request is written wait for their reply.
    fn note_written(&mut self) {
        for waiting in self.waiting.iter_mut().rev() {
            match waiting.unwritten {
                None => break,
                Some(end) if end <= self.written => {
                    waiting.unwritten = None;
                    waiting.limit = waiting.limits.reply();
                    waiting.deadline = after(waiting.limit);
                }
                Some(_) => {}
            }
        }
    }

    fn cannot_write(&mut self, error: IpcError) {
        if !error.is_disconnect() {
            return self.over(error);
        }
        self.end = End::LastWords;
        for waiting in &mut self.waiting {
            waiting.limit = waiting.limits.last_words();
            waiting.deadline = waiting.deadline.min(after(waiting.limit));
        }
    }

    /// Takes in all that has arrived.
    fn read(&mut self, cx: &mut Context<'_>) {
        while self.end != End::Over {
            match self.inbound.take::<Response>(Wires::ALL) {
                Ok(Some(received)) => self.hand_over(received),
                Ok(None) => match self.inbound.poll_fill(&mut self.stream, cx) {
                    Poll::Pending => return,
                    Poll::Ready(Ok(0)) => self.over(IpcError::Closed),
                    Poll::Ready(Ok(_)) => {}
                    Poll::Ready(Err(error)) => self.over(error.into()),
                },
                Err(error) => self.over(IpcError::of_decoding(error, Wires::ALL)),
            }
            // What comes after is read by those who wait for it.
            if self.inbound.is_empty() && self.driver.is_some_and(|driver| self.is_answered(driver)) {
                return;
            }
        }
    }

    /// Gives a reply to the one who waits for it.
    fn hand_over(&mut self, received: DecodedWireMessage<Response>) {
        let of_ids = |waiting: &Waiting| {
            !matches!(waiting.state, State::Answered(_)) && waiting.expected.is_named_by(&received)
        };
        let unanswered = |waiting: &Waiting| !matches!(waiting.state, State::Answered(_));
        // A reply without ids is to the oldest request: a peer answers in order.
        let at = self.waiting.iter().position(of_ids).or_else(|| self.waiting.iter().position(unanswered));
        let Some(at) = at else {
            let expected = wire_dispatch::Ids::default();
            return self.over(IpcError::ForeignReply { expected, received: received.ids });
        };
        let waiting = &mut self.waiting[at];
        let reply = of_request(&waiting.expected, received).map(|received| (received.lane, received.message));
        let foreign = reply.is_err();
        if matches!(waiting.state, State::GivenUp) {
            self.waiting.remove(at);
        } else {
            waiting.answer(reply);
        }
        if foreign {
            self.over(IpcError::Closed);
        }
    }

    /// Ends the connection: the oldest who waits is told why, the others that it is closed.
    fn over(&mut self, why: IpcError) {
        self.end = End::Over;
        let mut why = Some(why);
        self.waiting.retain_mut(|waiting| match waiting.state {
            State::GivenUp => false,
            State::Answered(_) => true,
            State::Waiting(_) => {
                waiting.answer(Err(why.take().unwrap_or(IpcError::Closed)));
                true
            }
        });
    }

    /// Gives up on those who have waited too long.
    fn watch_the_time(&mut self, cx: &mut Context<'_>) {
        loop {
            let waiting = self.waiting.iter().filter(|one| matches!(one.state, State::Waiting(_)));
            let Some(deadline) = waiting.map(|one| one.deadline).min() else { return };
            if self.timer.poll_passed(deadline, cx).is_pending() {
                return;
            }
            for waiting in &mut self.waiting {
                if matches!(waiting.state, State::Waiting(_)) && waiting.deadline <= deadline {
                    let late = IpcError::TimedOut(waiting.limit);
                    waiting.answer(Err(if self.end == End::LastWords { IpcError::Closed } else { late }));
                }
            }
        }
    }

    /// Gives up the place `number` if its reply is there, and lets somebody else drive.
    fn leave(&mut self, number: u64) -> Option<(bool, Reply)> {
        let at = self.place(number)?;
        let waiting = &mut self.waiting[at];
        if !matches!(waiting.state, State::Answered(_)) {
            return None;
        }
        let sent = waiting.unwritten.is_none();
        let State::Answered(reply) = std::mem::replace(&mut waiting.state, State::GivenUp) else {
            return None;
        };
        // The late reply of one who waited too long still has its place.
        if !matches!(reply, Err(IpcError::TimedOut(_))) {
            self.waiting.remove(at);
        }
        self.hand_on(number);
        Some((sent, reply))
    }

    /// Wakes another one to drive in the place of `number`.
    fn hand_on(&mut self, number: u64) {
        if self.driver == Some(number) {
            self.driver = None;
        }
        let unwritten = self.written < self.outbound.len();
        if self.driver.is_none() || unwritten {
            for waiting in &mut self.waiting {
                if let State::Waiting(waker @ Some(_)) = &mut waiting.state {
                    waker.take().into_iter().for_each(Waker::wake);
                    return;
                }
            }
        }
    }

    fn is_answered(&self, number: u64) -> bool {
        self.place(number).is_none_or(|at| matches!(self.waiting[at].state, State::Answered(_)))
    }

    fn place(&self, number: u64) -> Option<usize> {
        self.waiting.binary_search_by_key(&number, |waiting| waiting.number).ok()
    }
}

impl Waiting {
    fn answer(&mut self, reply: Reply) {
        let before = std::mem::replace(&mut self.state, State::Answered(reply));
        if let State::Waiting(Some(waker)) = before {
            waker.wake();
        }
    }
}

/// The moment `limit` from now; a limit beyond all time is one far away.
fn after(limit: std::time::Duration) -> Instant {
    const FAR: std::time::Duration = std::time::Duration::from_secs(86_400 * 365);
    Instant::now() + limit.min(FAR)
}

/// A place among those who wait. Dropping it before its reply came gives the request up, and keeps its place
/// for the late reply.
struct Place<'a, S: AsyncRead + AsyncWrite + Unpin> {
    mux: &'a Mux<S>,
    number: u64,
    left: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Drop for Place<'_, S> {
    fn drop(&mut self) {
        if self.left {
            return;
        }
        self.mux.retire();
        let mut driven = self.mux.driven();
        if let Some(at) = driven.place(self.number) {
            if matches!(driven.waiting[at].state, State::Answered(_)) {
                driven.waiting.remove(at);
            } else {
                driven.waiting[at].state = State::GivenUp;
            }
        }
        driven.hand_on(self.number);
    }
}
