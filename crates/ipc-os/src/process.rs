//! Queries and settings of processes.

use std::{
    io,
    process::{Command, ExitStatus},
};

use crate::{Pid, os};

impl Pid {
    /// Returns the parent of this process, if the system knows it and it still lives.
    #[must_use]
    pub fn parent() -> Option<Self> {
        os::parent_pid().and_then(|raw| Self::new(raw).ok())
    }
}

/// Returns true if a process of this id runs, of any user.
///
/// A process that has exited and was not waited for does not run. macOS does not tell: there it still counts.
///
/// The id may have been reused, so the result does not identify the program.
#[must_use]
pub fn process_alive(pid: Pid) -> bool {
    os::process_alive(pid)
}

/// Moves this process into its own session; does nothing if it leads one already.
///
/// The new session has no terminal. A program started by [`Launch`](crate::Launch) calls it before anything
/// else. On Windows the starter has already detached the program.
///
/// # Errors
///
/// Permission denied for the leader of a process group, for instance a program started by an interactive
/// shell.
pub fn detach_session() -> io::Result<()> {
    os::detach_session()
}

/// Resets ignored signals to their default action, and unblocks blocked signals.
///
/// An exec keeps both settings of the starter: a daemon whose starter ignored `SIGCHLD` does not learn the
/// exit status of its tools, and `SIGTERM` cannot end a daemon whose starter blocked it. A daemon calls it
/// first, before there are other threads. `SIGPIPE` and `SIGXFSZ` stay ignored if they are. `SIGXFSZ` does not end
/// this process in any case, because a write beyond `ulimit -f` is an error; programs that it starts have the
/// default action. Does nothing on Windows.
///
/// # Errors
///
/// The system's error.
pub fn reset_signals() -> io::Result<()> {
    os::reset_signals()
}

/// Runs this program again as a child if this process is process 1.
///
/// Returns the child's exit status, or `None` if this is another process. Process 1 becomes the parent of
/// every orphan in a container and must wait for it; a daemon waits only for its own children. Signals that
/// end a process are passed on.
///
/// # Errors
///
/// The system's error if the program cannot be started again.
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

/// Makes the allocator return freed blocks of at least 128 KiB to the system.
///
/// glibc raises this threshold to 32 MiB with the first large block that is freed, and each thread then keeps
/// freed frames: a daemon holds more memory than its budget counts. Call it before there are other threads.
/// Returns false if the allocator has no such setting.
pub fn return_freed_blocks() -> bool {
    os::return_freed_blocks(128 * 1024)
}

/// Raises this process's limit of open files to the maximum.
///
/// Returns the new limit; `None` if there is no limit.
///
/// # Errors
///
/// The system's error; the old limit stays then.
pub fn raise_fd_limit() -> io::Result<Option<u64>> {
    os::raise_fd_limit()
}
