//! What a host does next, decided without I/O.

/// Ticks in a row that may find the socket gone and not to be made again.
pub(super) const UNREACHABLE: u32 = 5;

/// What has happened, or what the last step has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// It is time to look at the host's own files.
    Tick,
    /// The locks were looked at, or taken again.
    Locks(Locks),
    /// The socket was looked at, or bound again.
    Socket(Socket),
    /// The newest listener has its server.
    Serving,
    /// The program has looked at its own things.
    Program {
        /// Whether it ends the daemon.
        leaves: bool,
    },
    /// A server has ended.
    Ended {
        /// Its number.
        number: u64,
        /// Whether a client asked for it.
        asked: bool,
    },
    /// A server has panicked.
    Panicked,
    /// The system asks the daemon to end.
    Signal,
}

/// How the locks are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Locks {
    InPlace,
    /// The system does not say how they are.
    Unknown,
    Removed,
    Retaken,
    /// Another process has taken one of them.
    Lost,
    /// They cannot be taken again.
    Unusable,
}

/// How the socket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Socket {
    InPlace,
    /// The system does not say how it is.
    Unknown,
    Removed,
    Bound,
    /// Another process listens at the path.
    InUse,
    /// Something else is in the way.
    Unbindable,
}

/// The next step. Each but the last three reports an [`Event`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Do {
    LookAtLocks,
    RetakeLocks,
    LookAtSocket,
    Bind,
    /// Start the server with this number on the listener that was bound.
    Serve(u64),
    AskProgram,
    /// Stop all servers, for the reason that came with the last event.
    Leave,
    /// Wait for the next event.
    Wait,
}

/// A daemon that serves its first listener.
#[derive(Debug)]
pub(super) struct Machine {
    /// The number of the newest server.
    newest: u64,
    /// Ticks in a row that found no way to make the socket again.
    unreachable: u32,
    ending: bool,
}

/// The number of the server of the first listener.
pub(super) const FIRST: u64 = 1;

impl Machine {
    pub(super) const fn new() -> Self {
        Self { newest: FIRST, unreachable: 0, ending: false }
    }

    /// Returns true once the servers were told to stop.
    pub(super) const fn is_ending(&self) -> bool {
        self.ending
    }

    /// Returns the step that follows `event`.
    ///
    /// A host must not hold the locks of an endpoint at which it does not listen. It leaves when another
    /// process has the locks or the socket, and when its own socket could not be made for
    /// [`UNREACHABLE`] ticks.
    pub(super) fn after(&mut self, event: Event) -> Do {
        match event {
            // The assertion that failed is the reason, whatever ended the daemon before.
            Event::Panicked => self.leave(),
            _ if self.ending => Do::Wait,
            Event::Tick => Do::LookAtLocks,
            Event::Locks(Locks::Removed) => Do::RetakeLocks,
            Event::Locks(Locks::InPlace | Locks::Unknown | Locks::Retaken) => Do::LookAtSocket,
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
        for (index, (event, expected)) in rows.iter().enumerate() {
            assert_eq!(machine.after(*event), *expected, "row {index}: {event:?}");
        }
    }

    const TICK: (Event, Do) = (Event::Tick, Do::LookAtLocks);
    const LOCKED: (Event, Do) = (Event::Locks(Locks::InPlace), Do::LookAtSocket);
    const STAYS: (Event, Do) = (Event::Program { leaves: false }, Do::Wait);
    const GONE: (Event, Do) = (Event::Socket(Socket::Removed), Do::Bind);

    #[test]
    fn a_tick_looks_at_the_locks_then_the_socket_then_the_program() {
        check(&[TICK, LOCKED, (Event::Socket(Socket::InPlace), Do::AskProgram), STAYS, TICK]);
    }

    #[test]
    fn what_cannot_be_looked_at_is_taken_for_unchanged() {
        check(&[
            TICK,
            (Event::Locks(Locks::Unknown), Do::LookAtSocket),
            (Event::Socket(Socket::Unknown), Do::AskProgram),
            STAYS,
        ]);
    }

    #[test]
    fn removed_locks_are_taken_again_before_the_socket_is_looked_at() {
        let removed = (Event::Locks(Locks::Removed), Do::RetakeLocks);
        check(&[TICK, removed, (Event::Locks(Locks::Retaken), Do::LookAtSocket), GONE]);
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
            // The server before ends in its own time; the newest is the daemon.
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

        // Once it was reachable, it begins to count again.
        let mut rows = [tick; 4].concat();
        rows.extend([TICK, LOCKED, GONE, (Event::Socket(Socket::Bound), Do::Serve(2))]);
        rows.extend([(Event::Serving, Do::AskProgram), STAYS]);
        rows.extend([tick; 4].concat());
        rows.extend([TICK, LOCKED, GONE, (Event::Socket(Socket::Unbindable), Do::Leave)]);
        check(&rows);
    }

    #[test]
    fn a_daemon_that_ends_looks_at_nothing_and_is_not_ended_twice() {
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
                // But what failed is told.
                (Event::Panicked, Do::Leave),
            ]);
        }
    }
}
