//! Small questions about processes, this one and others.

use std::{
    io,
    process::{Command, ExitStatus},
};

use crate::{Pid, os};

impl Pid {
    /// Returns the parent of this process, if the system tells it and it still lives.
    #[must_use]
    pub fn parent() -> Option<Self> {
        os::parent_pid().and_then(|raw| Self::new(raw).ok())
    }
}

/// Whether a process of this id exists, whoever owns it. One that ended and was not waited for still does.
///
/// It says nothing about which program it is: process ids are used again.
#[must_use]
pub fn process_alive(pid: Pid) -> bool {
    os::process_alive(pid)
}

/// Moves this process into a session of its own, without a terminal; does nothing when it leads one already.
///
/// It is for a program started by [`Launch`](crate::Launch), as the first thing it does. On Windows the
/// starter has already seen to it.
///
/// # Errors
///
/// Permission denied for the leader of a process group, as a program started by an interactive shell is.
pub fn detach_session() -> io::Result<()> {
    os::detach_session()
}

/// Gives every signal that the starter ignored its default action, and unblocks those that it blocked.
///
/// Both outlive an exec: a daemon whose starter ignored `SIGCHLD` is not told how its tools end, and one whose
/// starter blocked `SIGTERM` cannot be ended by it. Call it first in a daemon, before there are other threads.
/// `SIGPIPE` and `SIGXFSZ` stay ignored if they are: a failed write is then an error and not the end. Does nothing
/// on Windows.
///
/// # Errors
///
/// The system's error.
pub fn reset_signals() -> io::Result<()> {
    os::reset_signals()
}

/// Runs this program once more below itself if it is process 1, and returns how that ended; `None` otherwise.
///
/// Process 1 is the parent of every process of a container whose own parent has ended, and must wait for them: a
/// daemon waits for its own children only. Signals that end a process are passed on.
///
/// # Errors
///
/// The system's error when the program cannot be started again.
pub fn run_below_init() -> Option<io::Result<ExitStatus>> {
    const INIT: u32 = 1;
    if std::process::id() != INIT {
        return None;
    }
    Some(std::env::current_exe().and_then(|program| {
        os::reset_signals()?;
        os::run_below_init(Command::new(program).args(std::env::args_os().skip(1)))
    }))
}

/// Raises the number of files this process may have open to the most it may ask for.
///
/// Returns the number that is now allowed; `None` where there is no limit.
///
/// # Errors
///
/// What the system said; the old limit then stays.
pub fn raise_fd_limit() -> io::Result<Option<u64>> {
    os::raise_fd_limit()
}
