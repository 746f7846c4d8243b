//! What a connection does next, decided without I/O and without a clock.

use std::time::Duration;

use tokio::time::Instant;

/// How long the rest of a frame is waited for once the server stops.
pub(super) const LAST_BYTES: Duration = Duration::from_millis(250);

/// What has happened on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// What was received is no whole frame.
    Partial {
        /// Whether nothing was received at all.
        is_empty: bool,
        /// Whether the length of the frame is known.
        is_sized: bool,
    },
    /// Memory for the frame was reserved, after waiting for so long.
    Room(Duration),
    /// There is no memory for the frame.
    NoRoom,
    /// Bytes were received.
    Received,
    /// The peer has closed its side.
    Closed,
    /// The deadline has passed.
    Late,
    /// The server stops, or another connection needs the place.
    Stop,
    /// A request was answered.
    Answered {
        /// Whether the server stops.
        is_stopped: bool,
    },
    /// A frame was no request, its sender was told, and the stream can go on.
    Rejected,
    /// A frame of another protocol came.
    Foreign {
        /// Whether the extension has answered it.
        is_answered: bool,
        /// Whether nothing was received after it.
        is_empty: bool,
    },
    /// A frame was no request, and the stream cannot go on.
    Refused,
}

/// The next step of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Do {
    /// Look at what was received.
    Look,
    /// Reserve memory for the frame that is coming.
    MakeRoom,
    /// Wait for bytes, until the deadline.
    Wait,
    /// Send what is ready, and close.
    Flush,
    /// Close; the reason is for the log.
    Close(Option<&'static str>),
    /// Tell the sender of the frame that it did not arrive in time, and close.
    RefuseUnfinished(&'static str),
    /// Tell the sender that there is no memory for the frame, and close.
    RefuseLarge,
    /// Send the refusal, and close.
    Refuse,
}

/// One connection: its deadline, and where in the stream it is.
#[derive(Debug)]
pub(super) struct Machine {
    frame_timeout: Duration,
    deadline: Option<Instant>,
    /// What is logged when the deadline passes.
    late: &'static str,
    /// What was received when it was last looked at.
    is_empty: bool,
    /// Whether the length of the frame that is coming is known.
    is_sized: bool,
    has_room: bool,
    is_stopping: bool,
    is_first: bool,
}

impl Machine {
    /// Begins a connection, whose first byte must arrive before `deadline`.
    pub(super) const fn new(deadline: Instant, frame_timeout: Duration) -> Self {
        Self {
            frame_timeout,
            deadline: Some(deadline),
            late: "nothing was sent",
            is_empty: true,
            is_sized: false,
            has_room: false,
            is_stopping: false,
            is_first: true,
        }
    }

    /// Returns the moment until which the connection waits; `None` between frames.
    pub(super) const fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Returns true if nothing was received when it was last looked at.
    pub(super) const fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Returns true until the first frame was taken off.
    pub(super) const fn is_first(&self) -> bool {
        self.is_first
    }

    /// Returns true once the connection was told to stop and waits for the rest of a frame.
    pub(super) const fn is_stopping(&self) -> bool {
        self.is_stopping
    }

    /// Returns the step that follows `event`. `now` reads the clock, which costs; most events do not need it.
    ///
    /// The deadline of a frame is set once, when its first byte is there. Only the time that its sender
    /// waited for memory is added to it.
    pub(super) fn after(&mut self, event: Event, now: impl FnOnce() -> Instant) -> Do {
        match event {
            Event::Partial { is_empty, is_sized } => {
                self.is_empty = is_empty;
                self.is_sized = is_sized;
                if self.deadline.is_none() && !is_empty {
                    self.deadline = Some(now() + self.frame_timeout);
                    self.late = "a frame was begun and not finished";
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
                    // The deadline of the frame is set if it turns out that there is more to come.
                    self.deadline = None;
                }
                Do::Look
            }
            Event::Closed => Do::Close(None),
            Event::Late if self.is_sized => Do::RefuseUnfinished(self.late),
            Event::Late => Do::Close(Some(self.late)),
            Event::Stop if self.is_empty => Do::Close(None),
            Event::Stop => {
                // A request that is almost here is let in; one that is not has not been acted on.
                self.is_stopping = true;
                self.deadline = Some(now() + LAST_BYTES);
                Do::Wait
            }
            Event::Answered { is_stopped: true } => Do::Flush,
            Event::Answered { is_stopped: false } | Event::Rejected => self.next_frame(),
            Event::Foreign { is_answered: false, .. } | Event::Refused => Do::Refuse,
            // A released daemon closes after a probe, which it answers as the first frame only
            // (`docs/spec/running-process.md#probe`): a prober may wait for that.
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

    /// Feeds a new connection events at these seconds and compares each step and each deadline, in milliseconds.
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
            (34, Event::Late, Do::RefuseUnfinished("a frame was begun and not finished"), Some(34_000)),
        ]);
    }

    #[test]
    fn the_time_that_a_sender_waits_for_memory_does_not_count_against_it() {
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
    fn a_silent_peer_is_let_go_and_one_between_requests_is_not() {
        check(&[
            (0, EMPTY, Do::Wait, Some(10_000)),
            (10, Event::Late, Do::Close(Some("nothing was sent")), Some(10_000)),
        ]);
        check(&[
            (0, EMPTY, Do::Wait, Some(10_000)),
            (1, Event::Received, Do::Look, None),
            (1, ANSWERED, Do::Look, None),
            (1, EMPTY, Do::Wait, None),
            // Each frame has a deadline of its own.
            (99, Event::Received, Do::Look, None),
            (99, BEGUN, Do::Wait, Some(129_000)),
            (129, Event::Late, Do::Close(Some("a frame was begun and not finished")), Some(129_000)),
        ]);
    }

    #[test]
    fn a_server_that_stops_waits_a_little_for_a_request_that_was_begun() {
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
    fn a_rejected_frame_leaves_the_stream_in_step_and_a_refused_one_does_not() {
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
