//! State machine of a connection, without I/O and without a clock.

use std::time::Duration;

use tokio::time::Instant;

/// Time for the rest of a frame to arrive after the server stops.
pub(super) const LAST_BYTES: Duration = Duration::from_millis(250);

/// Event on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// The received bytes are not a whole frame.
    Partial {
        /// True if the receive buffer is empty.
        is_empty: bool,
        /// True if the length of the frame is known.
        is_sized: bool,
    },
    /// Memory for the frame was reserved after this wait.
    Room(Duration),
    /// The budget has no memory for the frame.
    NoRoom,
    /// Bytes arrived.
    Received,
    /// The peer closed its side.
    Closed,
    /// The deadline passed.
    Late,
    /// The server stops, or another connection needs the place.
    Stop,
    /// The server answered a request.
    Answered {
        /// True if the server stops.
        is_stopped: bool,
    },
    /// A frame was not a legal request; the server sent a refusal and the stream is usable.
    Rejected,
    /// A frame of another protocol arrived.
    Foreign {
        /// True if the extension answered it.
        is_answered: bool,
        /// True if no bytes arrived after the frame.
        is_empty: bool,
    },
    /// A frame was not a legal request, and the stream is unusable.
    Refused,
}

/// Next step of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Do {
    /// Decode the received bytes.
    Look,
    /// Reserve memory for the arriving frame.
    MakeRoom,
    /// Wait for bytes, until the deadline.
    Wait,
    /// Send the queued replies, and close.
    Flush,
    /// Close; the log records the reason.
    Close(Option<&'static str>),
    /// Tell the peer that its frame did not arrive in time, and close.
    RefuseUnfinished(&'static str),
    /// Tell the peer that the budget has no memory for its frame, and close.
    RefuseLarge,
    /// Send the refusal, and close.
    Refuse,
}

/// State of a connection: its deadline and its position in the stream.
#[derive(Debug)]
pub(super) struct Machine {
    frame_timeout: Duration,
    deadline: Option<Instant>,
    /// Text for the log when the deadline passes.
    late: &'static str,
    /// True if the receive buffer was empty at the last [`Event::Partial`].
    is_empty: bool,
    /// True if the length of the arriving frame is known.
    is_sized: bool,
    has_room: bool,
    is_stopping: bool,
    is_first: bool,
}

impl Machine {
    /// Returns the state of a new connection, whose first byte must arrive before `deadline`.
    pub(super) const fn new(deadline: Instant, frame_timeout: Duration) -> Self {
        Self {
            frame_timeout,
            deadline: Some(deadline),
            late: "the peer sent nothing",
            is_empty: true,
            is_sized: false,
            has_room: false,
            is_stopping: false,
            is_first: true,
        }
    }

    /// Returns the deadline of the current wait; `None` between frames.
    pub(super) const fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Returns true if the receive buffer was empty at the last decode.
    pub(super) const fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Returns true until the first frame is decoded.
    pub(super) const fn is_first(&self) -> bool {
        self.is_first
    }

    /// Returns true while a stopping connection waits for the rest of a frame.
    pub(super) const fn is_stopping(&self) -> bool {
        self.is_stopping
    }

    /// Returns the step that follows `event`.
    ///
    /// The first byte of a frame sets the deadline of the frame. Later, only a wait for memory extends it.
    /// `now` reads the clock; most events do not need it.
    pub(super) fn after(&mut self, event: Event, now: impl FnOnce() -> Instant) -> Do {
        match event {
            Event::Partial { is_empty, is_sized } => {
                self.is_empty = is_empty;
                self.is_sized = is_sized;
                if self.deadline.is_none() && !is_empty {
                    self.deadline = Some(now() + self.frame_timeout);
                    self.late = "a frame did not arrive completely";
                }
                if is_sized && !self.has_room { Do::MakeRoom } else { Do::Wait }
            }
            Event::Room(waited) => {
                self.has_room = true;
                self.deadline = self.deadline.map(|deadline| deadline + waited);
                Do::Wait
            }
            Event::NoRoom => Do::RefuseLarge,
            Event::Received => {
                if self.is_empty {
                    // `Partial` sets the deadline of the frame if the frame is not complete.
                    self.deadline = None;
                }
                Do::Look
            }
            Event::Closed => Do::Close(None),
            Event::Late if self.is_sized => Do::RefuseUnfinished(self.late),
            Event::Late => Do::Close(Some(self.late)),
            Event::Stop if self.is_empty => Do::Close(None),
            Event::Stop => {
                // A request that arrives within this time is still answered.
                self.is_stopping = true;
                self.deadline = Some(now() + LAST_BYTES);
                Do::Wait
            }
            Event::Answered { is_stopped: true } => Do::Flush,
            Event::Answered { is_stopped: false } | Event::Rejected => self.next_frame(),
            Event::Foreign { is_answered: false, .. } | Event::Refused => Do::Refuse,
            // A released daemon answers a probe as the first frame only and closes after it
            // (`docs/spec/running-process.md#probe`). A prober may wait for the close.
            Event::Foreign { is_answered: true, is_empty: true } if self.is_first => Do::Close(None),
            Event::Foreign { is_answered: true, .. } => self.next_frame(),
        }
    }

    fn next_frame(&mut self) -> Do {
        self.is_first = false;
        self.is_sized = false;
        self.has_room = false;
        self.deadline = None;
        Do::Look
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_secs(30);

    /// Feeds events at these seconds to a new machine; compares each step and each deadline in milliseconds.
    #[track_caller]
    fn check(rows: &[(u64, Event, Do, Option<u64>)]) {
        let began = Instant::now();
        let mut machine = Machine::new(began + Duration::from_secs(10), FRAME);
        for (index, (seconds, event, expected, deadline)) in rows.iter().enumerate() {
            let step = machine.after(*event, || began + Duration::from_secs(*seconds));
            let set = machine.deadline().map(|deadline| deadline - began);
            let expected = (*expected, deadline.map(Duration::from_millis));
            assert_eq!((step, set), expected, "row {index}: {event:?}");
        }
    }

    const EMPTY: Event = Event::Partial { is_empty: true, is_sized: false };
    const BEGUN: Event = Event::Partial { is_empty: false, is_sized: false };
    const SIZED: Event = Event::Partial { is_empty: false, is_sized: true };
    const ANSWERED: Event = Event::Answered { is_stopped: false };

    #[test]
    fn the_deadline_of_a_frame_is_set_once_by_its_first_byte() {
        check(&[
            (0, EMPTY, Do::Wait, Some(10_000)),
            (4, Event::Received, Do::Look, None),
            (4, BEGUN, Do::Wait, Some(34_000)),
            (28, Event::Received, Do::Look, Some(34_000)),
            (28, SIZED, Do::MakeRoom, Some(34_000)),
            (28, Event::Room(Duration::ZERO), Do::Wait, Some(34_000)),
            (33, Event::Received, Do::Look, Some(34_000)),
            (33, SIZED, Do::Wait, Some(34_000)),
            (34, Event::Late, Do::RefuseUnfinished("a frame did not arrive completely"), Some(34_000)),
        ]);
    }

    #[test]
    fn a_wait_for_memory_extends_the_deadline_of_the_frame() {
        check(&[
            (0, EMPTY, Do::Wait, Some(10_000)),
            (1, Event::Received, Do::Look, None),
            (1, SIZED, Do::MakeRoom, Some(31_000)),
            (9, Event::Room(Duration::from_secs(8)), Do::Wait, Some(39_000)),
        ]);
        check(&[
            (0, EMPTY, Do::Wait, Some(10_000)),
            (1, Event::Received, Do::Look, None),
            (1, SIZED, Do::MakeRoom, Some(31_000)),
            (31, Event::NoRoom, Do::RefuseLarge, Some(31_000)),
        ]);
    }

    #[test]
    fn a_silent_new_peer_is_closed_and_one_between_requests_is_not() {
        check(&[
            (0, EMPTY, Do::Wait, Some(10_000)),
            (10, Event::Late, Do::Close(Some("the peer sent nothing")), Some(10_000)),
        ]);
        check(&[
            (0, EMPTY, Do::Wait, Some(10_000)),
            (1, Event::Received, Do::Look, None),
            (1, ANSWERED, Do::Look, None),
            (1, EMPTY, Do::Wait, None),
            // Each frame has its own deadline.
            (99, Event::Received, Do::Look, None),
            (99, BEGUN, Do::Wait, Some(129_000)),
            (129, Event::Late, Do::Close(Some("a frame did not arrive completely")), Some(129_000)),
        ]);
    }

    #[test]
    fn a_server_that_stops_waits_a_little_for_the_rest_of_a_request() {
        check(&[(0, EMPTY, Do::Wait, Some(10_000)), (3, Event::Stop, Do::Close(None), Some(10_000))]);
        check(&[
            (0, EMPTY, Do::Wait, Some(10_000)),
            (1, Event::Received, Do::Look, None),
            (1, BEGUN, Do::Wait, Some(31_000)),
            (2, Event::Stop, Do::Wait, Some(2250)),
            (2, Event::Received, Do::Look, Some(2250)),
            (2, Event::Answered { is_stopped: true }, Do::Flush, Some(2250)),
        ]);
    }

    #[test]
    fn a_rejected_frame_keeps_the_connection_and_a_refused_frame_ends_it() {
        check(&[(0, Event::Rejected, Do::Look, None), (0, EMPTY, Do::Wait, None)]);
        check(&[(0, Event::Refused, Do::Refuse, Some(10_000))]);
        check(&[(0, Event::Closed, Do::Close(None), Some(10_000))]);
    }

    #[test]
    fn a_probe_that_is_alone_and_first_ends_the_connection() {
        let foreign = |is_answered, is_empty| Event::Foreign { is_answered, is_empty };
        check(&[(0, foreign(true, true), Do::Close(None), Some(10_000))]);
        check(&[(0, foreign(true, false), Do::Look, None), (0, foreign(true, true), Do::Look, None)]);
        check(&[(0, ANSWERED, Do::Look, None), (0, foreign(true, true), Do::Look, None)]);
        check(&[(0, foreign(false, true), Do::Refuse, Some(10_000))]);
    }

    #[test]
    fn memory_is_reserved_once_for_each_frame() {
        check(&[
            (0, SIZED, Do::MakeRoom, Some(10_000)),
            (0, Event::Room(Duration::ZERO), Do::Wait, Some(10_000)),
            (0, SIZED, Do::Wait, Some(10_000)),
            (0, ANSWERED, Do::Look, None),
            (0, SIZED, Do::MakeRoom, Some(30_000)),
        ]);
    }
}
