//! Proves that a process holds a lock, and kills it.

use std::{
    fs, io,
    os::windows::{
        fs::MetadataExt,
        io::{AsRawHandle, OwnedHandle},
    },
    path::Path,
};

use windows_sys::Win32::System::Threading::{
    PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_SYNCHRONIZE, PROCESS_TERMINATE, TerminateProcess,
};

use super::process::{is_running, open, started, times};
use crate::Pid;

/// A handle for one process, which stays valid if its id is reused.
#[derive(Debug)]
pub(crate) struct ProcessHandle(OwnedHandle);

impl ProcessHandle {
    pub(crate) fn open(pid: Pid) -> io::Result<Self> {
        open(pid, PROCESS_TERMINATE | PROCESS_SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION).map(Self)
    }

    pub(crate) fn kill(&self) -> io::Result<()> {
        // SAFETY: the handle is open and came with the right to end the process; no memory is touched.
        match unsafe { TerminateProcess(self.0.as_raw_handle(), 1) } {
            0 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    }
}

/// Returns true if `pid`, which a held lock at `path` names, is the process that wrote this name.
///
/// A holder writes its name as soon as it has the lock, and clears it before it frees the lock. So the process that
/// wrote the name is the holder, as long as it runs. A process that started after the name was written has a reused
/// id.
pub(crate) fn holds_lock(pid: Pid, path: &Path) -> io::Result<bool> {
    let process = open(pid, PROCESS_SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION)?;
    let written = fs::symlink_metadata(path)?.last_write_time();
    let started = started(process.as_raw_handle()).ok_or_else(io::Error::last_os_error)?;
    Ok(is_running(&process) && started <= written)
}

/// The system does not tell whether every thread is suspended.
pub(crate) fn is_stopped(_: Pid) -> bool {
    false
}

/// See [`crate::ProvedDaemon::processor_time`], in ticks of 10 ms.
pub(crate) fn processor_time(pid: Pid) -> Option<u64> {
    let process = open(pid, PROCESS_QUERY_LIMITED_INFORMATION).ok()?;
    let [_, _, kernel, user] = times(process.as_raw_handle())?;
    Some((kernel + user) / 100_000)
}
