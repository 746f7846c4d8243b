//! Locks of whole files.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::Path,
};

/// Takes the lock exclusively, if it is free.
pub(crate) fn try_lock(file: &File) -> Result<(), TryLockError> {
    file.try_lock()
}

/// Takes the lock shared with other processes, if no process has it exclusively.
pub(crate) fn try_lock_shared(file: &File) -> Result<(), TryLockError> {
    file.try_lock_shared()
}

/// Frees the lock.
pub(crate) fn unlock(file: &File) -> io::Result<()> {
    file.unlock()
}

/// Removes the file of a lock, then frees the lock: until then no other process can have it.
pub(crate) fn remove_locked(path: &Path, let_go: impl FnOnce()) -> io::Result<()> {
    let removed = fs::remove_file(path);
    let_go();
    removed
}

/// Does nothing: the system sets the time at the write.
#[expect(clippy::unnecessary_wraps, reason = "another system can fail")]
pub(crate) const fn note_time(_: &File) -> io::Result<()> {
    Ok(())
}
