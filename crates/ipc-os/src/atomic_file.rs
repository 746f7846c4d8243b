//! Files that are seen whole or not at all.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use thiserror::Error;

use crate::os;

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
pub fn write_atomic(path: &Path, bytes: &[u8], mode: u32) -> Result<(), WriteError> {
    try_write(path, bytes, mode, Kept::AfterACrash)
        .map_err(|source| WriteError { path: path.to_owned(), source })
}

/// As [`write_atomic`], for a file that need not outlive the machine's next crash: after one it may be
/// empty, and its reader must be able to tell. Costs no flush, which takes milliseconds.
pub(crate) fn write_hint(path: &Path, bytes: &[u8], mode: u32) -> Result<(), WriteError> {
    try_write(path, bytes, mode, Kept::UntilACrash)
        .map_err(|source| WriteError { path: path.to_owned(), source })
}

/// How long a file is meant to last.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    AfterACrash,
    UntilACrash,
}

fn try_write(path: &Path, bytes: &[u8], mode: u32, kept: Kept) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return Err(io::ErrorKind::IsADirectory.into()),
    };
    let (temporary, mut file) = create_temporary(directory, mode)?;
    let flush = |file: &File| if kept == Kept::AfterACrash { file.sync_all() } else { Ok(()) };
    let written = file.write_all(bytes).and_then(|()| flush(&file));
    drop(file);
    written.and_then(|()| fs::rename(&temporary.path, path))?;
    temporary.has_its_final_name();
    if kept == Kept::AfterACrash { os::sync_directory(directory) } else { Ok(()) }
}

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

fn create_temporary(directory: &Path, mode: u32) -> io::Result<(Temporary, File)> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let mut attempts_left = 16;
    loop {
        // Not made from the final name, which may already be as long as a name can be. The process id keeps
        // the number of leftovers of crashed processes small: a later process of that id reuses the name.
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = directory.join(format!(".zccache-{}-{n}.tmp", process::id()));
        match os::create_new(&path, mode) {
            Ok(file) => return Ok((Temporary { path, remove: true }, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempts_left > 0 => {
                attempts_left -= 1;
            }
            Err(error) => return Err(error),
        }
    }
}
