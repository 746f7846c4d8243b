//! Programs that are run for somebody else.

use std::{
    ffi::OsStr,
    io,
    os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle},
    path::Path,
    process::{Child, Command, ExitStatus},
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

/// See [`crate::is_same_file`]; a hard link counts as another file.
pub(crate) fn is_same_file(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// No handle is passed on but those that a command names.
pub(crate) fn keep_descriptors_back() -> io::Result<()> {
    Ok(())
}

/// See [`crate::run_instead`].
pub(crate) fn run_instead(command: &mut Command) -> io::Result<ExitStatus> {
    command.status()
}

/// See [`crate::spawn_as_called`]; the console sends its events to both.
pub(crate) fn spawn_as_called(command: &mut Command) -> io::Result<Child> {
    command.spawn()
}

/// See [`crate::wait_as_called`].
pub(crate) fn wait_as_called(child: &mut Child) -> io::Result<ExitStatus> {
    child.wait()
}

/// See [`crate::end_as`]; there are no signals.
pub(crate) fn end_as(status: ExitStatus) -> ! {
    std::process::exit(shell_code(status))
}

/// See [`crate::name_itself`]; a program finds its own name by itself.
pub(crate) fn name_itself(_: &mut Command, _: &OsStr) {}

/// See [`crate::default_path`]; there is none.
pub(crate) fn default_path() -> Option<&'static OsStr> {
    None
}

/// See [`crate::shell_code`]; there are no signals.
pub(crate) fn shell_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or(1)
}
