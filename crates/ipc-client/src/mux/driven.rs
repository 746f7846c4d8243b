//! The requests and replies of a shared connection.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ipc_model::{Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use wire_dispatch::{DecodedWireMessage, Dialect, FrameKind, Ids, Wires, encode_pieces};
use wire_frame::Pieces;
use wire_v16::{default_request_id, frame_v1_request_id};

use super::Reply;
use crate::config::{Later, Limits};
use ipc_connection::inbound::{Inbound, KEPT_BY_CLIENTS};
use ipc_connection::outbound::poll_write_some;
use ipc_connection::reply::{Expected, of_request};
use ipc_connection::timer::{Timer, after};
use ipc_connection::{IpcError, spare};
use ipc_os::FAR;

/// The largest number of requests without a reply at one time, including abandoned ones.
const MOST: usize = 4096;

/// The connection and its requests. The lock is never held across a wait.
#[derive(Debug)]
pub(super) struct Driven<S> {
    stream: S,
    inbound: Inbound,
    /// The encoded requests to write, and the number of bytes written of them.
    outbound: Pieces,
    written: usize,
    /// True if a task will write the gathered requests at its next poll.
    gathering: bool,
    /// The requests without a reply, oldest first.
    waiting: VecDeque<Waiting>,
    last_number: u64,
    /// The place of the task that is woken when bytes arrive.
    driver: Option<u64>,
    timer: Timer,
    end: End,
}

/// The state of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Open,
    /// The peer takes no more bytes. A daemon that refuses sends its reason before it closes.
    LastWords,
    Over,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    expected: Expected<'static>,
    /// The limits that apply after the request is written.
    limits: Later,
    /// The end of this request in `outbound`; `None` after it was written.
    unwritten: Option<usize>,
    /// The timeout for writing, or after that for the reply, and its end.
    ///
    /// A waiting task computes the end, so that a request that needs no wait reads no clock.
    limit: Duration,
    deadline: Option<Instant>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// A task waits for the reply.
    Waiting(Option<Waker>),
    /// The reply has arrived.
    Answered(Reply),
    /// No task waits any more.
    GivenUp,
}

/// The connection's use for further requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Usable {
    Yes,
    No,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Driven<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            inbound: Inbound::keeping(KEPT_BY_CLIENTS),
            outbound: Pieces::new(),
            written: 0,
            gathering: false,
            waiting: VecDeque::new(),
            last_number: 0,
            driver: None,
            timer: Timer::default(),
            end: End::Open,
        }
    }

    /// Encodes a request and takes a place in the queue, in the order of the wire.
    ///
    /// Returns true if the connection had carried a request before; then the number of the place, and true if
    /// the queue was empty.
    pub(super) fn begin(
        &mut self,
        request: &Request,
        dialect: Dialect,
        limits: &Limits,
    ) -> (bool, Result<(u64, bool), IpcError>) {
        let reused = self.last_number > 0;
        if self.end != End::Open || self.waiting.len() >= MOST {
            return (reused, Err(IpcError::Closed));
        }
        let number = self.last_number + 1;
        let default = match dialect {
            Dialect::FrameV1 => frame_v1_request_id(request.kind()),
            _ => default_request_id(request.kind()),
        };
        let taken = self.waiting.iter().any(|waiting| waiting.expected.request_id == default);
        let request_id =
            if taken { Cow::Owned(format!("{default}.{number}")) } else { Cow::Borrowed(default) };
        let frame_request_id = if dialect == Dialect::FrameV1 { number } else { 0 };
        spare::make_room(&mut self.outbound);
        let ids = (&*request_id, frame_request_id);
        if let Err(error) = encode_pieces(request, dialect, ids, FrameKind::Request, &mut self.outbound) {
            return (reused, Err(error.into()));
        }
        self.last_number = number;
        let alone = self.waiting.is_empty();
        self.waiting.push_back(Waiting {
            number,
            expected: Expected { lane: dialect.lane(), request_id, frame_request_id },
            limits: limits.later(request.kind()),
            unwritten: Some(self.outbound.len()),
            limit: limits.send(),
            deadline: None,
            state: State::Waiting(None),
        });
        (reused, Ok((number, alone)))
    }

    /// Writes what is left to write, and reads for all places if no other task does; wakes the answered ones.
    pub(super) fn drive(&mut self, number: u64, may_write: bool, cx: &mut Context<'_>) -> Usable {
        if may_write {
            self.write(cx);
        }
        if self.driver.is_none_or(|driver| driver == number || self.place(driver).is_none()) {
            self.driver = Some(number);
            self.read(cx);
            self.watch_the_time(cx);
        }
        if let Some(at) = self.place(number)
            && let Waiting { limit, deadline, state: State::Waiting(waker), .. } = &mut self.waiting[at]
        {
            match waker {
                Some(waker) => waker.clone_from(cx.waker()),
                None => *waker = Some(cx.waker().clone()),
            }
            deadline.get_or_insert_with(|| after(*limit));
        }
        if self.end == End::Open { Usable::Yes } else { Usable::No }
    }

    /// Returns true if this task flushes the gathered requests, and so must be polled again.
    pub(super) fn is_first_to_gather(&mut self) -> bool {
        !std::mem::replace(&mut self.gathering, true)
    }

    fn write(&mut self, cx: &mut Context<'_>) {
        self.gathering = false;
        while self.end == End::Open && self.written < self.outbound.len() {
            match poll_write_some(&mut self.stream, &self.outbound, self.written, cx) {
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

    /// Starts the reply timeout of each request that is written.
    fn note_written(&mut self) {
        for waiting in self.waiting.iter_mut().rev() {
            match waiting.unwritten {
                None => break,
                Some(end) if end <= self.written => {
                    waiting.unwritten = None;
                    waiting.limit = waiting.limits.reply();
                    waiting.deadline = None;
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
            let last = after(waiting.limit);
            waiting.deadline = Some(waiting.deadline.map_or(last, |deadline| deadline.min(last)));
        }
    }

    /// Reads everything that has arrived.
    fn read(&mut self, cx: &mut Context<'_>) {
        while self.end != End::Over {
            let taken = if self.inbound.is_empty() { Ok(None) } else { self.inbound.take(Wires::ALL) };
            match taken {
                Ok(Some(received)) => self.hand_over(received),
                Ok(None) => match self.inbound.poll_fill(&mut self.stream, cx) {
                    Poll::Pending => return,
                    Poll::Ready(Ok(0)) => self.over(IpcError::Closed),
                    Poll::Ready(Ok(_)) => continue,
                    Poll::Ready(Err(error)) => self.over(error.into()),
                },
                Err(error) => self.over(IpcError::of_decoding(error, Wires::ALL)),
            }
            // The tasks that still wait read the later bytes.
            if self.inbound.is_empty() && self.driver.is_some_and(|driver| self.is_answered(driver)) {
                return;
            }
        }
    }

    /// Gives a reply to the task that waits for it.
    fn hand_over(&mut self, received: DecodedWireMessage<Response>) {
        let of_ids = |waiting: &Waiting| {
            !matches!(waiting.state, State::Answered(_)) && waiting.expected.is_named_by(&received)
        };
        let unanswered = |waiting: &Waiting| !matches!(waiting.state, State::Answered(_));
        // A reply without ids belongs to the oldest request: a peer answers in order.
        let at = self.waiting.iter().position(of_ids).or_else(|| self.waiting.iter().position(unanswered));
        let Some(at) = at else {
            let expected = Ids::default();
            return self.over(IpcError::ForeignReply { expected, received: received.ids });
        };
        let waiting = &mut self.waiting[at];
        if let Response::CompileProgress(progress) = &received.message {
            waiting.limits.tell(progress);
            // Progress is not the reply; it restarts the timeout of a compilation.
            if let Some(limit) = waiting.limits.after_progress() {
                (waiting.limit, waiting.deadline) = (limit, None);
            }
            return;
        }
        let reply =
            of_request(&waiting.expected, received).map(|received| (received.dialect(), received.message));
        let foreign = reply.is_err();
        if self.driver == Some(waiting.number)
            && let State::Waiting(waker) = &mut waiting.state
        {
            // The waiting task reads right now and sees the reply itself; a wake would poll it once more.
            *waker = None;
        }
        if matches!(waiting.state, State::GivenUp) {
            self.waiting.remove(at);
        } else {
            waiting.answer(reply);
        }
        if foreign {
            self.over(IpcError::Closed);
        }
    }

    /// Ends the connection: the oldest waiting task receives `why`, the others receive `Closed`.
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

    /// Answers the waiting tasks whose timeout has passed.
    fn watch_the_time(&mut self, cx: &mut Context<'_>) {
        let mut now = None;
        loop {
            let waiting = self.waiting.iter_mut().filter(|one| matches!(one.state, State::Waiting(_)));
            let deadline = waiting.map(|one| {
                *one.deadline
                    .get_or_insert_with(|| *now.get_or_insert_with(Instant::now) + one.limit.min(FAR))
            });
            let Some(deadline) = deadline.min() else { return };
            if self.timer.poll_passed(deadline, now.take(), cx).is_pending() {
                return;
            }
            for waiting in &mut self.waiting {
                let is_late = waiting.deadline.is_some_and(|own| own <= deadline);
                if matches!(waiting.state, State::Waiting(_)) && is_late {
                    let late = IpcError::TimedOut(waiting.limit);
                    waiting.answer(Err(if self.end == End::LastWords { IpcError::Closed } else { late }));
                }
            }
        }
    }

    /// Frees the place `number` if its reply is there, and lets another task drive.
    pub(super) fn leave(&mut self, number: u64) -> Option<(bool, Reply)> {
        let at = self.place(number)?;
        let waiting = &mut self.waiting[at];
        if !matches!(waiting.state, State::Answered(_)) {
            return None;
        }
        let sent = waiting.unwritten.is_none();
        let State::Answered(reply) = std::mem::replace(&mut waiting.state, State::GivenUp) else {
            return None;
        };
        // After a timeout the place stays for the late reply.
        if !matches!(reply, Err(IpcError::TimedOut(_))) {
            self.waiting.remove(at);
            if self.waiting.is_empty() {
                // Resets the queue, so that the next request uses the same memory, which is in the
                // processor's cache.
                self.waiting.clear();
            }
        }
        self.hand_on(number);
        Some((sent, reply))
    }

    /// Abandons the place `number`, which stays for its late reply, and lets another task drive.
    pub(super) fn give_up(&mut self, number: u64) {
        if let Some(at) = self.place(number) {
            if matches!(self.waiting[at].state, State::Answered(_)) {
                self.waiting.remove(at);
            } else {
                self.waiting[at].state = State::GivenUp;
            }
        }
        self.hand_on(number);
    }

    /// Wakes another task to drive in place of `number`.
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

    /// Returns true if the reply for the place `number` is there.
    pub(super) fn is_answered(&self, number: u64) -> bool {
        self.place(number).is_none_or(|at| matches!(self.waiting[at].state, State::Answered(_)))
    }

    fn place(&self, number: u64) -> Option<usize> {
        // Mostly there is one place, or the caller has the last one.
        if let Some(last) = self.waiting.back()
            && last.number == number
        {
            return Some(self.waiting.len() - 1);
        }
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
