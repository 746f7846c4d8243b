//! Systems where the holder of a lock cannot be proved: no process is killed there.

use std::{io, path::Path};

use crate::Pid;

/// A process handle, which does not exist on this system.
#[derive(Debug)]
pub(crate) enum ProcessHandle {}

impl ProcessHandle {
    pub(crate) fn open(_: Pid) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn kill(&self) -> io::Result<()> {
        match *self {}
    }
}

/// The system does not name the holder of a lock.
pub(crate) fn holds_lock(_: Pid, _: &Path) -> io::Result<bool> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Not needed, because no process is killed on this system.
pub(crate) fn is_stopped(_: Pid) -> bool {
    false
}

/// The system does not tell.
pub(crate) fn processor_time(_: Pid) -> Option<u64> {
    None
}
