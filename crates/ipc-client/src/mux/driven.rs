//! What is under way on a shared connection.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ipc_model::{Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use wire_dispatch::{DecodedWireMessage, Dialect, FrameKind, Ids, Wires, encode_pieces};
use wire_frame::Pieces;
use wire_v16::default_request_id;

use super::Reply;
use crate::config::{Later, Limits};
use ipc_connection::inbound::{Inbound, KEPT_BY_CLIENTS};
use ipc_connection::outbound::poll_write_some;
use ipc_connection::reply::{Expected, of_request};
use ipc_connection::timer::{Timer, after};
use ipc_connection::{IpcError, spare};
use ipc_os::FAR;

/// Requests that may be without a reply at one time, those that were given up included.
const MOST: usize = 4096;

/// The connection, and what was sent on it. The lock is held only for what does not wait.
#[derive(Debug)]
pub(super) struct Driven<S> {
    stream: S,
    inbound: Inbound,
    /// Requests that are not written yet, and how many bytes of them are.
    outbound: Pieces,
    written: usize,
    /// Whether somebody will write what is gathered in this moment.
    gathering: bool,
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
    /// How long it may then take to be answered, and until when all of it may.
    limits: Later,
    /// How much of `outbound` ends with this request; `None` once that is written.
    unwritten: Option<usize>,
    /// How long it may take to be written, or then to be answered, and until when: that is found out by those
    /// who have to wait.
    limit: Duration,
    deadline: Option<Instant>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Somebody waits.
    Waiting(Option<Waker>),
    /// The reply is there.
    Answered(Reply),
    /// Nobody waits any more.
    GivenUp,
}

/// Whether a connection is worth another request.
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

    /// Takes a place among those who wait, in the order of the wire. Tells whether the connection had carried
    /// a request, then the number of the place and whether nobody else waits.
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
        let default = default_request_id(request.kind());
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
            limits: limits.later(),
            unwritten: Some(self.outbound.len()),
            limit: limits.send(),
            deadline: None,
            state: State::Waiting(None),
        });
        (reused, Ok((number, alone)))
    }

    /// Writes what is to be written, and reads for all where nobody else does; wakes those whose reply came.
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

    /// Whether it is this one who is to write what is gathered, and must be polled again for that.
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

    /// Lets those whose request is written wait for their reply.
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

    /// Takes in all that has arrived.
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
            let expected = Ids::default();
            return self.over(IpcError::ForeignReply { expected, received: received.ids });
        };
        let waiting = &mut self.waiting[at];
        if matches!(received.message, Response::CompileProgress(_)) {
            // Not the reply, which has its whole time again.
            waiting.deadline = None;
            return;
        }
        let reply =
            of_request(&waiting.expected, received).map(|received| (received.dialect(), received.message));
        let foreign = reply.is_err();
        if self.driver == Some(waiting.number)
            && let State::Waiting(waker) = &mut waiting.state
        {
            // It is the one who reads, and looks for itself: to be woken it would be polled once more.
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

    /// Gives up the place `number` if its reply is there, and lets somebody else drive.
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
        // The late reply of one who waited too long still has its place.
        if !matches!(reply, Err(IpcError::TimedOut(_))) {
            self.waiting.remove(at);
            if self.waiting.is_empty() {
                // The next one takes the same place in memory, which is in the cache.
                self.waiting.clear();
            }
        }
        self.hand_on(number);
        Some((sent, reply))
    }

    /// Gives up the place `number`, whose late reply still has it, and lets somebody else drive.
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

    /// Whether the reply of the place `number` is there.
    pub(super) fn is_answered(&self, number: u64) -> bool {
        self.place(number).is_none_or(|at| matches!(self.waiting[at].state, State::Answered(_)))
    }

    fn place(&self, number: u64) -> Option<usize> {
        // Mostly there is one, or it is the last one's own.
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
