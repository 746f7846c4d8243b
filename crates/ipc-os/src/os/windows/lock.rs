//! Locks of files.
//!
//! A lock of this system covers bytes, which other processes then cannot read. So the lock covers a byte far behind
//! the text, which names the holder. An earlier release locks the whole file, which includes that byte.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::windows::{fs::OpenOptionsExt, io::AsRawHandle},
    path::Path,
    time::SystemTime,
};

use windows_sys::Win32::{
    Foundation::{ERROR_IO_PENDING, ERROR_LOCK_VIOLATION, ERROR_SHARING_VIOLATION},
    Storage::FileSystem::{
        FILE_SHARE_READ, FILE_SHARE_WRITE, LOCK_FILE_FLAGS, LOCKFILE_EXCLUSIVE_LOCK,
        LOCKFILE_FAIL_IMMEDIATELY, LockFileEx, UnlockFileEx,
    },
    System::IO::{OVERLAPPED, OVERLAPPED_0, OVERLAPPED_0_0},
};

use super::dial::raw;

/// Opens a lock, which cannot be renamed or removed as long as the file is open.
pub(super) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .share_mode(FILE_SHARE_READ | FILE_SHARE_WRITE)
        .open(path)
}

/// Takes the lock exclusively, if it is free.
pub(crate) fn try_lock(file: &File) -> Result<(), TryLockError> {
    lock(file, LOCKFILE_EXCLUSIVE_LOCK)
}

/// Takes the lock shared with other processes, if no process has it exclusively.
pub(crate) fn try_lock_shared(file: &File) -> Result<(), TryLockError> {
    lock(file, 0)
}

/// Frees the lock.
pub(crate) fn unlock(file: &File) -> io::Result<()> {
    let mut place = place();
    // SAFETY: the handle is open as long as `file` lives, and the structure as long as the call.
    match unsafe { UnlockFileEx(file.as_raw_handle(), 0, 1, 0, &raw mut place) } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Frees a lock and then removes its file, because an open lock file cannot be removed.
///
/// If another process has opened it meanwhile, the file stays.
pub(crate) fn remove_locked(path: &Path, let_go: impl FnOnce()) -> io::Result<()> {
    let_go();
    match fs::remove_file(path) {
        Err(error) if raw(&error) == Some(ERROR_SHARING_VIOLATION) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

fn lock(file: &File, flags: LOCK_FILE_FLAGS) -> Result<(), TryLockError> {
    let mut place = place();
    // SAFETY: the handle is open as long as `file` lives. It was opened for synchronous use, so that the system does
    // not use the structure after the call.
    let locked = unsafe {
        LockFileEx(file.as_raw_handle(), flags | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &raw mut place)
    };
    if locked != 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    match raw(&error) {
        Some(ERROR_LOCK_VIOLATION | ERROR_IO_PENDING) => Err(TryLockError::WouldBlock),
        _ => Err(TryLockError::Error(error)),
    }
}

/// Returns the position of the byte that is locked.
fn place() -> OVERLAPPED {
    const FAR_BEHIND_THE_TEXT: u32 = 0x4000_0000;
    let offset = OVERLAPPED_0_0 { Offset: 0, OffsetHigh: FAR_BEHIND_THE_TEXT };
    OVERLAPPED { Anonymous: OVERLAPPED_0 { Anonymous: offset }, ..OVERLAPPED::default() }
}

/// Sets the time of the write, because the system sets it later.
pub(crate) fn note_time(file: &File) -> io::Result<()> {
    file.set_modified(SystemTime::now())
}
