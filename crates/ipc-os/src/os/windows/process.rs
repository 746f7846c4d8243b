//! Other processes, and the settings of this one.

use std::{
    io,
    os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle},
    process::{Command, ExitStatus},
};

use windows_sys::Win32::{
    Foundation::{ERROR_ACCESS_DENIED, FILETIME, HANDLE, WAIT_TIMEOUT},
    System::{
        Diagnostics::ToolHelp::{
            CreateToolhelp32Snapshot, PROCESSENTRY32W, Process32FirstW, Process32NextW, TH32CS_SNAPPROCESS,
        },
        Threading::{
            GetCurrentProcess, GetProcessTimes, OpenProcess, PROCESS_ACCESS_RIGHTS,
            PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_SYNCHRONIZE, WaitForSingleObject,
        },
    },
};

use crate::{Pid, View};

/// Returns `None`: users have no numbers here.
pub(crate) fn our_uid() -> Option<u32> {
    None
}

/// See [`Pid::parent`].
///
/// Windows stores only the parent's id. If the id belongs to a process that is younger than this one, the id was
/// reused, and the parent is gone.
pub(crate) fn parent_pid() -> Option<u32> {
    let number = recorded_parent()?;
    let parent = open(Pid::new(number).ok()?, PROCESS_QUERY_LIMITED_INFORMATION).ok()?;
    // SAFETY: returns a constant that stands for this process.
    let ours = started(unsafe { GetCurrentProcess() })?;
    (started(parent.as_raw_handle())? <= ours).then_some(number)
}

fn recorded_parent() -> Option<u32> {
    // SAFETY: takes numbers; the result is checked before it is used.
    let handle = unsafe { CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0) };
    if handle.is_null() || handle as isize == -1 {
        return None;
    }
    // SAFETY: the handle is open and has no other owner.
    let snapshot = unsafe { OwnedHandle::from_raw_handle(handle) };
    let mut entry = PROCESSENTRY32W::default();
    entry.dwSize = u32::try_from(size_of_val(&entry)).ok()?;
    // SAFETY: the handle is open, and `entry` says its own size.
    let mut found = unsafe { Process32FirstW(snapshot.as_raw_handle(), &raw mut entry) };
    while found != 0 {
        if entry.th32ProcessID == std::process::id() {
            return Some(entry.th32ParentProcessID);
        }
        // SAFETY: as above.
        found = unsafe { Process32NextW(snapshot.as_raw_handle(), &raw mut entry) };
    }
    None
}

/// Opens the process with id `pid`.
pub(super) fn open(pid: Pid, rights: PROCESS_ACCESS_RIGHTS) -> io::Result<OwnedHandle> {
    // SAFETY: takes numbers; the result is checked before it is used.
    let handle = unsafe { OpenProcess(rights, 0, pid.get()) };
    if handle.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle is open and has no other owner.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// Returns the start of a process, in 100 ns since 1601.
pub(super) fn started(process: HANDLE) -> Option<u64> {
    times(process).map(|[started, ..]| started)
}

/// Returns a process's start time, end time, kernel time and user time, in 100 ns.
pub(super) fn times(process: HANDLE) -> Option<[u64; 4]> {
    let mut times = [FILETIME::default(); 4];
    let [started, ended, kernel, user] = &mut times;
    // SAFETY: the caller's handle is open, and each result is a live local.
    let told = unsafe { GetProcessTimes(process, started, ended, kernel, user) };
    let number = |time: FILETIME| u64::from(time.dwHighDateTime) << 32 | u64::from(time.dwLowDateTime);
    (told != 0).then(|| times.map(number))
}

/// Returns `None`: this system has no pid namespaces.
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

/// See [`crate::process_alive`]: an ended process keeps its id as long as any handle to it is open.
pub(crate) fn process_alive(pid: Pid) -> bool {
    match open(pid, PROCESS_SYNCHRONIZE) {
        Ok(process) => is_running(&process),
        // A process that we may not open exists too.
        Err(error) => error.raw_os_error() == Some(ERROR_ACCESS_DENIED.cast_signed()),
    }
}

/// Returns true if the process has not ended.
pub(super) fn is_running(process: &OwnedHandle) -> bool {
    // SAFETY: the handle is open as long as `process` lives, and may be waited for.
    unsafe { WaitForSingleObject(process.as_raw_handle(), 0) == WAIT_TIMEOUT }
}

/// Does nothing: the starter's creation flags have detached this program already.
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
