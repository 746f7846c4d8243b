//! Programs that are run for somebody else: started apart, ended together, and what their end means.

use std::io;
use std::process::{Command, ExitStatus};

use crate::{Pid, os};

/// A started program and what it has started in turn, to be ended together.
///
/// On Windows it is the program alone.
#[derive(Debug)]
pub struct ProcessGroup(Pid);

impl ProcessGroup {
    /// Makes `command` start its program as the first of a group of its own, out of reach of the terminal's
    /// signals.
    pub fn lead(command: &mut Command) {
        os::lead_group(command);
    }

    /// The group of the program `first`, which was started by a command that was prepared by
    /// [`lead`](Self::lead).
    #[must_use]
    pub const fn of(first: Pid) -> Self {
        Self(first)
    }

    /// Asks all of it to end. To be called only before `first` has been waited for: its number is then free
    /// to be another group's.
    ///
    /// # Errors
    ///
    /// What the system said, for instance that nobody is left.
    pub fn terminate(&self) -> io::Result<()> {
        os::end_group(self.0, false)
    }

    /// Ends all of it by force; as [`terminate`](Self::terminate) otherwise.
    ///
    /// # Errors
    ///
    /// What the system said.
    pub fn kill(&self) -> io::Result<()> {
        os::end_group(self.0, true)
    }
}

/// Keeps the descriptors that this process was given from the programs that it starts later.
///
/// It is for a daemon, once, as it starts: what Rust opens is not passed on anyway.
///
/// # Errors
///
/// What the system said; some are still passed on then.
pub fn keep_descriptors_back() -> io::Result<()> {
    os::keep_descriptors_back()
}

/// Runs `command` in the place of this program, with its streams, its signals and its end.
///
/// On Unix this program becomes the other one and nothing after this call is done; elsewhere it waits for it.
///
/// # Errors
///
/// What the system said when it could not be started.
pub fn run_instead(command: &mut Command) -> io::Result<ExitStatus> {
    os::run_instead(command)
}

/// The exit code by which a shell tells how a program ended: its own, or 128 and the number of its signal.
#[must_use]
pub fn shell_code(status: ExitStatus) -> i32 {
    os::shell_code(status)
}
