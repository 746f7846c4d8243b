//! The file that names the daemon's process for released programs and for people.
//!
//! The file has no lock and proves nothing: its process may have ended long ago.
//! [`liveness`](crate::liveness) returns whether a daemon lives.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use thiserror::Error;

use crate::{FileKind, OwnFileError, Pid, PidError, ReadError, WriteError, read_small, write_atomic};

/// A lock file names no process.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LockFileError {
    /// The text is not a process id.
    #[error("the lock file {} holds no process id", path.display())]
    Invalid {
        /// The lock file.
        path: PathBuf,
        /// The error of parsing the text.
        source: PidError,
    },
    /// The file is longer than a process id, or is not text.
    #[error("the lock file {} does not hold a short text", .0.display())]
    NotText(PathBuf),
    /// The file is not a regular file.
    #[error("{} is {kind}, not a lock file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// The kind of the file that is there.
        kind: FileKind,
    },
    /// Another user owns the file, or it has a second name.
    #[error(transparent)]
    NotOwn(OwnFileError),
    /// The file could not be read.
    #[error("cannot read the lock file {}", path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// The largest size of a process id with its white space.
const LONGEST: u64 = 64;

/// Returns the process id in the lock file at `path`; `None` if there is no file.
///
/// Rule: `docs/spec/endpoint.md#lock-file`. Changes nothing on disk.
///
/// # Errors
///
/// [`LockFileError`], which a caller that only needs the process may treat as `None`.
pub fn read(path: &Path) -> Result<Option<Pid>, LockFileError> {
    let bytes = match read_small(path, LONGEST) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(None),
        Err(ReadError::NotAFile { path, kind }) => return Err(LockFileError::NotAFile { path, kind }),
        Err(ReadError::TooLong { path, .. }) => return Err(LockFileError::NotText(path)),
        Err(ReadError::NotOwn(refused)) => return Err(LockFileError::NotOwn(refused)),
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
/// Replaces the file at `path`. A daemon writes it after it has bound its endpoint; a [`Claim`](crate::Claim)
/// writes its own lock file.
///
/// Rule: `docs/spec/endpoint.md#lock-file`.
///
/// # Errors
///
/// [`WriteError`]; an older file is unchanged then.
pub fn write(path: &Path, pid: Pid) -> Result<(), WriteError> {
    write_atomic(path, pid.to_string().as_bytes(), 0o600)
}

/// Removes the lock file if it names `pid`.
///
/// A file that names another process, or that cannot be read, stays.
///
/// # Errors
///
/// The system's error of removing the file.
pub fn remove_if_of(path: &Path, pid: Pid) -> io::Result<()> {
    match read(path) {
        Ok(Some(found)) if found == pid => fs::remove_file(path),
        _ => Ok(()),
    }
}
