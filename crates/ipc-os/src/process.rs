//! Small questions about processes, this one and others.

use std::io;

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
