//! Programs that are run for somebody else.

use std::{
    io,
    os::unix::process::{CommandExt, ExitStatusExt},
    path::Path,
    process::{Command, ExitStatus},
};

use rustix::{
    fs::{Access, FileType, access, fstat},
    process::{Signal, kill_process_group},
};

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

/// Whether the file at `path` is a program that this user may run.
pub(crate) fn is_executable(path: &Path) -> bool {
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}

/// See [`crate::stdin_is_bounded`].
pub(crate) fn stdin_is_bounded() -> bool {
    let Ok(stat) = fstat(io::stdin()) else { return true };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => true,
        // A device may go on for ever, but for the one that has nothing.
        FileType::CharacterDevice => {
            rustix::fs::stat("/dev/null").is_ok_and(|nothing| nothing.st_rdev == stat.st_rdev)
        }
        _ => false,
    }
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
