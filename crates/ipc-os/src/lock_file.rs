//! The file that names the daemon's process for released programs and for people.
//!
//! It holds no lock and proves nothing: a process id in it may be of a process that is long gone. Whether a
//! daemon lives is asked with [`liveness`](crate::liveness).

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use thiserror::Error;

use crate::{FileKind, Pid, PidError, ReadError, WriteError, read_small, write_atomic};

/// A lock file that names no process.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LockFileError {
    /// Its text is not a process id.
    #[error("the lock file {} holds no process id", path.display())]
    Invalid {
        /// The lock file.
        path: PathBuf,
        /// What the text is instead.
        source: PidError,
    },
    /// It holds more bytes than a process id has, or bytes that are not text.
    #[error("the lock file {} does not hold a short text", .0.display())]
    NotText(PathBuf),
    /// It is not a regular file.
    #[error("{} is {kind}, not a lock file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What is there.
        kind: FileKind,
    },
    /// It could not be read.
    #[error("cannot read the lock file {}", path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// More than any process id with its white space.
const LONGEST: u64 = 64;

/// The process id in the lock file at `path` (`docs/spec/endpoint.md#lock-file`); `None` when there is no
/// such file.
///
/// Asking changes nothing on disk.
///
/// # Errors
///
/// [`LockFileError`], which a caller that only wants to know "which process" may take as none.
pub fn read(path: &Path) -> Result<Option<Pid>, LockFileError> {
    let bytes = match read_small(path, LONGEST) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(None),
        Err(ReadError::NotAFile { path, kind }) => return Err(LockFileError::NotAFile { path, kind }),
        Err(ReadError::TooLong { path, .. }) => return Err(LockFileError::NotText(path)),
        Err(ReadError::Io { path, source }) => return Err(LockFileError::Io { path, source }),
    };
    match std::str::from_utf8(&bytes) {
        Ok(text) => Pid::parse(text)
            .map(Some)
            .map_err(|source| LockFileError::Invalid { path: path.to_owned(), source }),
        Err(_) => Err(LockFileError::NotText(path.to_owned())),
    }
}

/// Writes `pid` as released programs read it: decimal, no newline.
///
/// Rule: `docs/spec/endpoint.md#lock-file`.
pub(crate) fn write(path: &Path, pid: Pid) -> Result<(), WriteError> {
    write_atomic(path, pid.to_string().as_bytes(), 0o600)
}

/// Removes the lock file if it names `pid`.
pub(crate) fn remove_if_of(path: &Path, pid: Pid) -> io::Result<()> {
    match read(path) {
        Ok(Some(found)) if found == pid => fs::remove_file(path),
        _ => Ok(()),
    }
}
