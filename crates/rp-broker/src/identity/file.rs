//! The identity file. A daemon writes it whole and removes only its own; a reader does not trust it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ipc_os::{Pid, ReadError, WriteError, read_small, write_atomic};
use thiserror::Error;

use super::{Identity, IdentityError, json};

/// The longest identity file that is read, in bytes.
///
/// Daemons write files of about 1.5 KiB.
pub const LONGEST: u64 = 64 * 1024;

/// An identity file that was not read or not written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IdentityFileError {
    /// The path is not a file, or the file is too long or cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The file describes no process.
    #[error("{} is not an identity file", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The fault in the file.
        source: IdentityError,
    },
    /// The file was not written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The file was not removed.
    #[error("cannot remove {}", path.display())]
    Remove {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

/// Reads the identity file at `path`, or returns `None` if there is no file.
///
/// Reads the formats of both generations. Changes nothing and does not wait: a fifo or a directory at the
/// path is an error.
///
/// # Errors
///
/// [`IdentityFileError::Read`] and [`IdentityFileError::Malformed`].
pub fn read(path: &Path) -> Result<Option<Identity>, IdentityFileError> {
    let Some(bytes) = read_small(path, LONGEST)? else { return Ok(None) };
    match json::parse(&bytes) {
        Ok(identity) => Ok(Some(identity)),
        Err(source) => Err(IdentityFileError::Malformed { path: path.to_owned(), source }),
    }
}

/// Writes `identity` to `path` in the formats of both generations.
///
/// A reader sees the old file or the whole new one. The directory must exist. Blocks on the disk.
///
/// # Errors
///
/// [`IdentityFileError::Write`], and [`IdentityFileError::Malformed`] for an executable whose path is not
/// UTF-8. The old file is then unchanged.
pub fn write(path: &Path, identity: &Identity) -> Result<(), IdentityFileError> {
    let text = json::text(identity)
        .map_err(|source| IdentityFileError::Malformed { path: path.to_owned(), source })?;
    Ok(write_atomic(path, text.as_bytes(), 0o600)?)
}

/// Removes the identity file at `path` if it describes `pid`.
///
/// Returns true if the file was removed.
///
/// # Errors
///
/// [`IdentityFileError::Remove`]. A file that cannot be read is kept and is no error.
pub fn remove_if_of(path: &Path, pid: Pid) -> Result<bool, IdentityFileError> {
    match read(path) {
        Ok(Some(identity)) if identity.pid == pid => match fs::remove_file(path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(IdentityFileError::Remove { path: path.to_owned(), source }),
        },
        _ => Ok(false),
    }
}
