//! Programs that are run for somebody else.

use std::{
    io,
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Command, ExitStatus},
};

use rustix::process::{Signal, kill_process_group};

use super::spawn::mark_inherited;
use crate::Pid;

/// See [`crate::ProcessGroup::lead`].
pub(crate) fn lead_group(command: &mut Command) {
    command.process_group(0);
}

/// See [`crate::ProcessGroup::terminate`].
pub(crate) fn end_group(first: Pid, by_force: bool) -> io::Result<()> {
    let first = i32::try_from(first.get()).ok().and_then(rustix::process::Pid::from_raw);
    let signal = if by_force { Signal::KILL } else { Signal::TERM };
    Ok(kill_process_group(first.ok_or(io::ErrorKind::InvalidInput)?, signal)?)
}

/// See [`crate::keep_descriptors_back`].
pub(crate) fn keep_descriptors_back() -> io::Result<()> {
    mark_inherited()
}

/// See [`crate::run_instead`].
pub(crate) fn run_instead(command: &mut Command) -> io::Result<ExitStatus> {
    Err(command.exec())
}

/// See [`crate::shell_code`].
pub(crate) fn shell_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}
