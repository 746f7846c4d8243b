//! State machine of a host, without I/O.

/// Number of consecutive failures to bind a removed socket after which the host leaves.
pub(super) const UNREACHABLE: u32 = 5;

/// Event, or result of the last step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// Time to check the host's files.
    Tick,
    /// The host checked the locks, or took them again.
    Locks(Locks),
    /// The host checked the socket, or bound it again.
    Socket(Socket),
    /// A server runs on the newest listener.
    Serving,
    /// The program did its own checks.
    Program {
        /// True if the program ends the daemon.
        leaves: bool,
    },
    /// A server ended.
    Ended {
        /// Number of the server.
        number: u64,
        /// True if a client requested the shutdown.
        asked: bool,
    },
    /// A server panicked.
    Panicked,
    /// The system sent a signal to end the daemon.
    Signal,
}

/// State of the locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Locks {
    InPlace,
    /// The system failed to report the state.
    Unknown,
    Removed,
    Retaken,
    /// Another process holds one of the locks.
    Lost,
    /// The host failed to take the locks again.
    Unusable,
}

/// State of the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Socket {
    InPlace,
    /// The system failed to report the state.
    Unknown,
    Removed,
    Bound,
    /// Another process listens at the path.
    InUse,
    /// The host failed to bind the socket for another reason.
    Unbindable,
}

/// Next step. Each step except `Leave` and `Wait` results in an [`Event`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Do {
    CheckLocks,
    RetakeLocks,
    CheckSocket,
    Bind,
    /// Start the server with this number on the new listener.
    Serve(u64),
    AskProgram,
    /// Stop all servers, for the reason of the last event.
    Leave,
    /// Wait for the next event.
    Wait,
}

/// State of a daemon, which starts with its first listener.
#[derive(Debug)]
pub(super) struct Machine {
    /// Number of the newest server.
    newest: u64,
    /// Number of consecutive ticks that failed to bind the socket.
    unreachable: u32,
    ending: bool,
}

/// Number of the first listener's server.
pub(super) const FIRST: u64 = 1;

impl Machine {
    pub(super) const fn new() -> Self {
        Self { newest: FIRST, unreachable: 0, ending: false }
    }

    /// Returns true after [`Do::Leave`].
    pub(super) const fn is_ending(&self) -> bool {
        self.ending
    }

    /// Returns the step that follows `event`.
    ///
    /// A host must not hold the locks of an endpoint without listening at it. The host leaves if another
    /// process holds the locks or the socket, and after [`UNREACHABLE`] consecutive failures to bind.
    pub(super) fn after(&mut self, event: Event) -> Do {
        match event {
            // The panic replaces an earlier reason to leave.
            Event::Panicked => self.leave(),
            _ if self.ending => Do::Wait,
            Event::Tick => Do::CheckLocks,
            Event::Locks(Locks::Removed) => Do::RetakeLocks,
            Event::Locks(Locks::InPlace | Locks::Unknown | Locks::Retaken) => Do::CheckSocket,
            Event::Locks(Locks::Lost | Locks::Unusable) => self.leave(),
            Event::Socket(Socket::Removed) => Do::Bind,
            Event::Socket(Socket::InPlace | Socket::Unknown) | Event::Serving => Do::AskProgram,
            Event::Socket(Socket::Bound) => {
                self.unreachable = 0;
                self.newest += 1;
                Do::Serve(self.newest)
            }
            Event::Socket(Socket::InUse) => self.leave(),
            Event::Socket(Socket::Unbindable) => {
                self.unreachable += 1;
                if self.unreachable == UNREACHABLE { self.leave() } else { Do::AskProgram }
            }
            Event::Program { leaves } => self.leave_if(leaves),
            Event::Ended { number, asked } => self.leave_if(asked || number == self.newest),
            Event::Signal => self.leave(),
        }
    }

    fn leave_if(&mut self, leaves: bool) -> Do {
        if leaves { self.leave() } else { Do::Wait }
    }

    fn leave(&mut self) -> Do {
        self.ending = true;
        Do::Leave
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds a new machine these events and compares each step.
    #[track_caller]
    fn check(rows: &[(Event, Do)]) {
        let mut machine = Machine::new();
        let mut has_left = false;
        for (index, (event, expected)) in rows.iter().enumerate() {
            assert_eq!(machine.after(*event), *expected, "row {index}: {event:?}");
            has_left |= *expected == Do::Leave;
            assert_eq!(machine.is_ending(), has_left, "row {index}: {event:?}");
        }
    }

    const TICK: (Event, Do) = (Event::Tick, Do::CheckLocks);
    const LOCKED: (Event, Do) = (Event::Locks(Locks::InPlace), Do::CheckSocket);
    const STAYS: (Event, Do) = (Event::Program { leaves: false }, Do::Wait);
    const GONE: (Event, Do) = (Event::Socket(Socket::Removed), Do::Bind);

    #[test]
    fn a_tick_checks_the_locks_then_the_socket_then_the_program() {
        check(&[TICK, LOCKED, (Event::Socket(Socket::InPlace), Do::AskProgram), STAYS, TICK]);
    }

    #[test]
    fn a_state_that_the_system_does_not_report_counts_as_unchanged() {
        check(&[
            TICK,
            (Event::Locks(Locks::Unknown), Do::CheckSocket),
            (Event::Socket(Socket::Unknown), Do::AskProgram),
            STAYS,
        ]);
    }

    #[test]
    fn removed_locks_are_taken_again_before_the_socket_is_checked() {
        let removed = (Event::Locks(Locks::Removed), Do::RetakeLocks);
        check(&[TICK, removed, (Event::Locks(Locks::Retaken), Do::CheckSocket), GONE]);
        check(&[TICK, removed, (Event::Locks(Locks::Lost), Do::Leave)]);
        check(&[TICK, removed, (Event::Locks(Locks::Unusable), Do::Leave)]);
    }

    #[test]
    fn a_removed_socket_is_bound_again_and_has_a_server_of_its_own() {
        check(&[
            TICK,
            LOCKED,
            GONE,
            (Event::Socket(Socket::Bound), Do::Serve(2)),
            (Event::Serving, Do::AskProgram),
            STAYS,
            // The earlier server may end later; only the end of the newest server ends the daemon.
            (Event::Ended { number: 1, asked: false }, Do::Wait),
            (Event::Ended { number: 2, asked: false }, Do::Leave),
        ]);
    }

    #[test]
    fn a_client_of_an_earlier_server_can_end_the_daemon() {
        check(&[
            TICK,
            LOCKED,
            GONE,
            (Event::Socket(Socket::Bound), Do::Serve(2)),
            (Event::Serving, Do::AskProgram),
            STAYS,
            (Event::Ended { number: 1, asked: true }, Do::Leave),
            (Event::Ended { number: 2, asked: false }, Do::Wait),
        ]);
    }

    #[test]
    fn a_socket_of_another_process_ends_the_daemon_at_once() {
        check(&[TICK, LOCKED, GONE, (Event::Socket(Socket::InUse), Do::Leave)]);
    }

    #[test]
    fn a_daemon_that_is_unreachable_for_five_ticks_in_a_row_leaves() {
        let fails = (Event::Socket(Socket::Unbindable), Do::AskProgram);
        let tick = [TICK, LOCKED, GONE, fails, STAYS];
        let mut rows = [tick; 4].concat();
        rows.extend([TICK, LOCKED, GONE, (Event::Socket(Socket::Unbindable), Do::Leave)]);
        check(&rows);

        // A successful bind resets the count.
        let mut rows = [tick; 4].concat();
        rows.extend([TICK, LOCKED, GONE, (Event::Socket(Socket::Bound), Do::Serve(2))]);
        rows.extend([(Event::Serving, Do::AskProgram), STAYS]);
        rows.extend([tick; 4].concat());
        rows.extend([TICK, LOCKED, GONE, (Event::Socket(Socket::Unbindable), Do::Leave)]);
        check(&rows);
    }

    #[test]
    fn a_daemon_that_ends_checks_nothing_and_does_not_end_twice() {
        for ends in [
            (Event::Signal, Do::Leave),
            (Event::Program { leaves: true }, Do::Leave),
            (Event::Ended { number: 1, asked: true }, Do::Leave),
            (Event::Ended { number: 1, asked: false }, Do::Leave),
        ] {
            check(&[
                ends,
                (Event::Tick, Do::Wait),
                (Event::Signal, Do::Wait),
                (Event::Ended { number: 1, asked: true }, Do::Wait),
                // A panic is still reported.
                (Event::Panicked, Do::Leave),
            ]);
        }
    }
}
