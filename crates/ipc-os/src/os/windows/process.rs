//! Processes, and what this one may do.

use std::{
    io,
    os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle},
    process::{Command, ExitStatus},
};

use windows_sys::Win32::{
    Foundation::{ERROR_ACCESS_DENIED, WAIT_TIMEOUT},
    System::Threading::{OpenProcess, PROCESS_SYNCHRONIZE, WaitForSingleObject},
};

use crate::{Pid, View};

/// Users have no numbers here.
pub(crate) fn our_uid() -> Option<u32> {
    None
}

/// Windows remembers the number only, which may be another process's by now.
pub(crate) fn parent_pid() -> Option<u32> {
    None
}

/// A locked file cannot be read.
pub(crate) const HELD_LOCKS_ARE_READ: bool = false;

/// There are no pid namespaces.
pub(crate) fn pid_namespace() -> Option<String> {
    None
}

/// See [`crate::reset_signals`].
pub(crate) fn reset_signals() -> io::Result<()> {
    Ok(())
}

/// See [`crate::return_freed_blocks`]. The process heap has no such setting.
pub(crate) fn return_freed_blocks(_: i32) -> bool {
    false
}

/// See [`crate::run_below_init`]. No process has the id 1.
pub(crate) fn run_below_init(_: &mut Command) -> io::Result<ExitStatus> {
    Err(io::ErrorKind::Unsupported.into())
}

/// See [`crate::process_alive`].
pub(crate) fn process_alive(pid: Pid) -> bool {
    // SAFETY: takes numbers only, and what it returns is checked before it is used.
    let handle = unsafe { OpenProcess(PROCESS_SYNCHRONIZE, 0, pid.get()) };
    if handle.is_null() {
        // A process that we may not open is there all the same.
        return io::Error::last_os_error().raw_os_error() == Some(ERROR_ACCESS_DENIED as i32);
    }
    // SAFETY: the handle was opened a line ago, is not null, and nobody else closes it.
    let process = unsafe { OwnedHandle::from_raw_handle(handle) };
    // SAFETY: the handle is open as long as `process` lives, and may be waited for.
    let state = unsafe { WaitForSingleObject(process.as_raw_handle(), 0) };
    state == WAIT_TIMEOUT
}

/// The starter sees to it with the flags it starts the program with.
pub(crate) fn detach_session() -> io::Result<()> {
    Ok(())
}

/// There is no such limit.
pub(crate) fn raise_fd_limit() -> io::Result<Option<u64>> {
    Ok(None)
}

/// See [`crate::view_of`]: processes have one view of the file system here, or do not tell.
pub(crate) fn view_of(_: Pid) -> View {
    View::Unknown
}
