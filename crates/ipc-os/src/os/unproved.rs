//! Where a held lock cannot be proved to be a process's: none is ended by force.

use std::{io, path::Path};

use crate::Pid;

/// What would end a process, which is never made.
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

/// The system does not tell who holds a lock.
pub(crate) fn holds_lock(_: Pid, _: &Path) -> io::Result<bool> {
    Err(io::ErrorKind::Unsupported.into())
}

/// It is not asked for: nothing is ended here.
pub(crate) fn is_stopped(_: Pid) -> bool {
    false
}

/// The system does not say.
pub(crate) fn processor_time(_: Pid) -> Option<u64> {
    None
}
