//! Files that a reader sees complete or not at all.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use thiserror::Error;

use crate::{Access, Pid, open_own, os};

/// A failed write; the old file at the path is unchanged.
#[derive(Debug, Error)]
#[error("cannot write {}", path.display())]
pub struct WriteError {
    /// The path of the file.
    pub path: PathBuf,
    /// The system's error.
    pub source: io::Error,
}

/// Replaces the file at `path` by `bytes`, with the Unix permission bits `mode`.
///
/// A reader sees the old content or the new, also after a crash: the bytes go to a file of another name in
/// the same directory, which is flushed to disk and then renamed. A link at `path` is replaced, not followed.
/// Windows keeps the permissions of the directory and cannot flush the directory.
///
/// # Errors
///
/// [`WriteError`]. The old content is unchanged, unless only the final flush of the directory failed: then
/// the new content is there and may be lost in a power failure.
pub fn write_atomic(path: &Path, mut bytes: &[u8], mode: u32) -> Result<(), WriteError> {
    replace_file(path, &mut bytes, &FileMode::Exactly(mode), Durability::Flushed)
        .map_err(|source| WriteError { path: path.to_owned(), source })?;
    Ok(())
}

/// Does the same without a flush: the file may be empty after a crash, which its reader must detect.
pub(crate) fn write_hint(path: &Path, mut bytes: &[u8], mode: u32) -> Result<(), WriteError> {
    replace_file(path, &mut bytes, &FileMode::Exactly(mode), Durability::Unflushed)
        .map_err(|source| WriteError { path: path.to_owned(), source })?;
    Ok(())
}

/// The guarantee for a file after a crash of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// The file and its directory are flushed to disk, which takes milliseconds.
    Flushed,
    /// Nothing is flushed: the file may be empty after a crash.
    Unflushed,
}

/// The permissions of a new file.
#[derive(Debug, Clone)]
pub enum FileMode {
    /// The default of a new file of this user, reduced by the umask.
    New,
    /// These Unix permission bits; the umask does not apply.
    Exactly(u32),
    /// The permissions of another file.
    Like(fs::Permissions),
}

/// Returns the limit of file sizes of this process, in bytes, if there is one.
///
/// A write beyond it ends the process by `SIGXFSZ`.
#[must_use]
pub fn largest_file() -> Option<u64> {
    os::largest_file()
}

/// Returns a file in memory, and the path that leads to it.
///
/// Every child inherits the file, and opens it by that path. `None` where the system has no such files.
#[must_use]
pub fn nameless_file() -> Option<(File, PathBuf)> {
    os::nameless_file()
}

/// Returns a new empty file in `directory` that has no name any more.
///
/// Its space is free once it is closed. For bytes that need no memory. A process that is killed while it makes the file can leave an empty one, which
/// [`remove_abandoned`] removes.
///
/// # Errors
///
/// The system's error.
pub fn unnamed_file(directory: &Path) -> io::Result<File> {
    create_temporary(directory, Some(0o600)).map(|(_removed_at_once, file)| file)
}

/// Replaces the file at `path` by all of `contents`, and returns its length.
///
/// A reader sees the old content or the new: the bytes go to a new file of another name in the same
/// directory, which is then renamed. A link at `path` is replaced, not followed. Windows keeps the
/// permissions of the directory.
///
/// # Errors
///
/// The system's error, or the error of `contents`. The old content is unchanged, unless only the final flush
/// of the directory failed.
pub fn replace_file(
    path: &Path,
    contents: &mut dyn Read,
    mode: &FileMode,
    durability: Durability,
) -> io::Result<u64> {
    path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
    let directory = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return Err(io::ErrorKind::IsADirectory.into()),
    };
    let exact = if let FileMode::Exactly(bits) = mode { Some(*bits) } else { None };
    let (temporary, mut file) = create_temporary(directory, exact)?;
    let length = io::copy(contents, &mut file)?;
    if let FileMode::Like(permissions) = mode {
        file.set_permissions(permissions.clone())?;
    }
    if durability == Durability::Flushed {
        file.sync_all()?;
    }
    drop(file);
    move_file(&temporary.path, path)?;
    temporary.has_its_final_name();
    if durability == Durability::Flushed {
        os::sync_directory(directory)?;
    }
    Ok(length)
}

/// Renames a file; a file that has the new name is replaced.
///
/// Windows neither renames nor replaces a file while a program has it open without sharing it, as a virus scanner
/// does. This function waits up to two seconds for such a program.
///
/// # Errors
///
/// The system's error.
pub fn move_file(from: &Path, to: &Path) -> io::Result<()> {
    os::rename(from, to)
}

/// Removes half-written files in `directory` whose writer was killed.
///
/// A writer ([`write_atomic`], [`replace_file`]) holds a lock on its file until it is done, so a file that
/// can be locked has no writer. Files of other users and files of other names stay. Returns the number of
/// removed files.
///
/// # Errors
///
/// The system's error if the directory cannot be listed. A file that cannot be removed stays.
pub fn remove_abandoned(directory: &Path) -> io::Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(directory)?.take(MOST_NAMES).flatten() {
        let Some(writer) = entry.file_name().to_str().and_then(writer_of) else { continue };
        // Writers of earlier releases take no lock.
        if writer != Pid::current() && os::process_alive(writer) {
            continue;
        }
        let path = entry.path();
        let Ok(Some(file)) = open_own(&path, Access::Read) else { continue };
        if file.try_lock().is_ok() && os::is_at(&file, &path).unwrap_or(false) {
            removed += usize::from(fs::remove_file(&path).is_ok());
        }
    }
    Ok(removed)
}

/// Returns the process that made the temporary file `name`, if the name is one of a temporary file.
fn writer_of(name: &str) -> Option<Pid> {
    let (pid, number) = name.strip_prefix(".zccache-")?.strip_suffix(".tmp")?.split_once('-')?;
    number.parse::<u32>().ok()?;
    Pid::parse(pid).ok()
}

/// A directory with more names has many foreign files, so the search stops.
const MOST_NAMES: usize = 10_000;

/// A temporary file, which is removed on drop unless it got its final name.
struct Temporary {
    path: PathBuf,
    remove: bool,
}

impl Temporary {
    fn has_its_final_name(mut self) {
        self.remove = false;
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if self.remove {
            // The caller reports the error that led here.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Locks a new file, so that no cleaner takes it for abandoned; returns false if a cleaner was faster.
fn is_kept(file: &File, path: &Path) -> bool {
    // Where files cannot be locked, no cleaner removes them either.
    !matches!(file.try_lock(), Err(TryLockError::WouldBlock)) && os::is_at(file, path).unwrap_or(true)
}

fn create_temporary(directory: &Path, mode: Option<u32>) -> io::Result<(Temporary, File)> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let mut attempts_left = 16;
    loop {
        // The name does not contain the final name, which may already have the maximum length. The process id
        // limits the leftovers of crashed processes: a later process with the same id reuses the name.
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = directory.join(format!(".zccache-{}-{n}.tmp", process::id()));
        match os::create_new(&path, mode) {
            Ok(file) if is_kept(&file, &path) => return Ok((Temporary { path, remove: true }, file)),
            Ok(_) if attempts_left > 0 => attempts_left -= 1,
            Ok(_) => return Err(io::Error::other("another process removes every new file")),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempts_left > 0 => {
                attempts_left -= 1;
            }
            Err(error) => return Err(error),
        }
    }
}
