//! Files that are seen whole or not at all.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use thiserror::Error;

use crate::{Access, Pid, open_own, os};

/// A file that was not written; what was at the path before is still there.
#[derive(Debug, Error)]
#[error("cannot write {}", path.display())]
pub struct WriteError {
    /// The file that was to be written.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// Replaces the file at `path` by one that holds `bytes`, with the Unix permission bits `mode`.
///
/// A reader sees the old content or the new, also after a crash: the bytes go to a file of another name in
/// the same directory, which is flushed to disk and then renamed. A link at `path` is replaced, not followed.
/// Windows keeps the permissions of the directory and cannot flush it.
///
/// # Errors
///
/// [`WriteError`]. The old content is untouched, unless only the final flush of the directory failed: then
/// the new content is there and may be gone after a power failure.
pub fn write_atomic(path: &Path, mut bytes: &[u8], mode: u32) -> Result<(), WriteError> {
    replace_file(path, &mut bytes, &FileMode::Exactly(mode), Durability::Flushed)
        .map_err(|source| WriteError { path: path.to_owned(), source })?;
    Ok(())
}

/// Does the same for a file that may be empty after a crash of the machine; its reader must be able to tell.
pub(crate) fn write_hint(path: &Path, mut bytes: &[u8], mode: u32) -> Result<(), WriteError> {
    replace_file(path, &mut bytes, &FileMode::Exactly(mode), Durability::Unflushed)
        .map_err(|source| WriteError { path: path.to_owned(), source })?;
    Ok(())
}

/// Whether a file must survive a crash of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// The file and its directory are flushed to disk, which takes milliseconds.
    Flushed,
    /// Nothing is flushed: after a crash the file may be empty.
    Unflushed,
}

/// Permissions of a file that is made.
#[derive(Debug, Clone)]
pub enum FileMode {
    /// Those of any new file of this user, as the umask leaves them.
    New,
    /// These Unix permission bits, whatever the umask.
    Exactly(u32),
    /// Those of another file.
    Like(fs::Permissions),
}

/// Replaces the file at `path` by one that holds all of `contents`, and returns its length.
///
/// A reader sees the old content or the new: the bytes go to a new file of another name in the same directory,
/// which is then renamed. A link at `path` is replaced, not followed. Windows keeps the
/// permissions of the directory.
///
/// # Errors
///
/// The system's error, or that of `contents`. The old content is untouched, unless only the final flush of the
/// directory failed.
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
    fs::rename(&temporary.path, path)?;
    temporary.has_its_final_name();
    if durability == Durability::Flushed {
        os::sync_directory(directory)?;
    }
    Ok(length)
}

/// Removes the half-written files in `directory` that [`write_atomic`] left when its process was killed.
///
/// A writer holds a lock on its file until it is done, so that a file which can be locked has no writer any more.
/// Files of other users and whatever has another name stay. Returns how many files were removed.
///
/// # Errors
///
/// The system's error when the directory cannot be listed; a file that cannot be removed is left.
pub fn remove_abandoned(directory: &Path) -> io::Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(directory)?.take(MOST_NAMES).flatten() {
        let Some(writer) = entry.file_name().to_str().and_then(writer_of) else { continue };
        // Earlier releases take no lock.
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

/// Returns the process that made the temporary file `name`, if it is the name of one.
fn writer_of(name: &str) -> Option<Pid> {
    let (pid, number) = name.strip_prefix(".zccache-")?.strip_suffix(".tmp")?.split_once('-')?;
    number.parse::<u32>().ok()?;
    Pid::parse(pid).ok()
}

/// A directory with more names than this is not only ours.
const MOST_NAMES: usize = 10_000;

/// A file that is removed unless it got its final name.
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
            // The error that led here is the one to report.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Locks a new file, so that nobody takes it for one that its writer has left; false if somebody just has.
fn is_kept(file: &File, path: &Path) -> bool {
    // Where files cannot be locked nobody takes them for abandoned either.
    !matches!(file.try_lock(), Err(TryLockError::WouldBlock)) && os::is_at(file, path).unwrap_or(true)
}

fn create_temporary(directory: &Path, mode: Option<u32>) -> io::Result<(Temporary, File)> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let mut attempts_left = 16;
    loop {
        // Not made from the final name, which may already be as long as a name can be. The process id keeps
        // the number of leftovers of crashed processes small: a later process of that id reuses the name.
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = directory.join(format!(".zccache-{}-{n}.tmp", process::id()));
        match os::create_new(&path, mode) {
            Ok(file) if is_kept(&file, &path) => return Ok((Temporary { path, remove: true }, file)),
            Ok(_) if attempts_left > 0 => attempts_left -= 1,
            Ok(_) => return Err(io::Error::other("somebody removes every new file")),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempts_left > 0 => {
                attempts_left -= 1;
            }
            Err(error) => return Err(error),
        }
    }
}
