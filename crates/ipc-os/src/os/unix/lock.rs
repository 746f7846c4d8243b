//! Locks of whole files.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::Path,
};

/// Takes the lock for this process alone, if it is free.
pub(crate) fn try_lock(file: &File) -> Result<(), TryLockError> {
    file.try_lock()
}

/// Takes the lock together with others, if no process has it alone.
pub(crate) fn try_lock_shared(file: &File) -> Result<(), TryLockError> {
    file.try_lock_shared()
}

/// Lets the lock go.
pub(crate) fn unlock(file: &File) -> io::Result<()> {
    file.unlock()
}

/// Removes the file of a lock, and lets the lock go afterwards: before that no other process can have it.
pub(crate) fn remove_locked(path: &Path, let_go: impl FnOnce()) -> io::Result<()> {
    let removed = fs::remove_file(path);
    let_go();
    removed
}

/// The system notes the time of a write by itself.
#[expect(clippy::unnecessary_wraps, reason = "another system can fail")]
pub(crate) const fn note_time(_: &File) -> io::Result<()> {
    Ok(())
}
