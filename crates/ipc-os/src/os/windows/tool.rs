//! Programs that are run for somebody else.

use std::{
    io,
    os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle},
    path::Path,
    process::{Command, ExitStatus},
};

use windows_sys::Win32::System::Threading::{OpenProcess, PROCESS_TERMINATE, TerminateProcess};

use crate::Pid;

/// There are no groups that could be ended.
pub(crate) fn lead_group(_: &mut Command) {}

/// See [`crate::ProcessGroup::terminate`]; nobody can be asked.
pub(crate) fn end_group(first: Pid, _by_force: bool) -> io::Result<()> {
    // SAFETY: takes numbers only, and what it returns is checked before it is used.
    let handle = unsafe { OpenProcess(PROCESS_TERMINATE, 0, first.get()) };
    if handle.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle was opened a line ago, is not null, and nobody else closes it.
    let process = unsafe { OwnedHandle::from_raw_handle(handle) };
    // SAFETY: the handle is open as long as `process` lives, and may be used to end the process.
    match unsafe { TerminateProcess(process.as_raw_handle(), 1) } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Whether there is a file at `path`; what may be run is told by names here.
pub(crate) fn is_executable(path: &Path) -> bool {
    path.is_file()
}

/// See [`crate::stdin_is_bounded`]; nobody says what a handle is.
pub(crate) fn stdin_is_bounded() -> bool {
    false
}

/// No handle is passed on but those that a command names.
pub(crate) fn keep_descriptors_back() -> io::Result<()> {
    Ok(())
}

/// See [`crate::run_instead`].
pub(crate) fn run_instead(command: &mut Command) -> io::Result<ExitStatus> {
    command.status()
}

/// See [`crate::shell_code`]; there are no signals.
pub(crate) fn shell_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or(1)
}
