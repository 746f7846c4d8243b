//! The identity file: written whole, read without trust, removed only by the daemon that it describes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ipc_os::{Pid, ReadError, WriteError, read_small, write_atomic};
use thiserror::Error;

use super::{Identity, IdentityError, json};

/// The longest identity file that is read, in bytes: some forty times what daemons write.
pub const LONGEST: u64 = 64 * 1024;

/// An identity file that was not read or not written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IdentityFileError {
    /// It is not a file, too long, or cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It describes no process.
    #[error("{} is no identity file", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: IdentityError,
    },
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// It could not be removed.
    #[error("cannot remove {}", path.display())]
    Remove {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Reads the identity file at `path`, of either generation; `None` where there is none.
///
/// Asking changes nothing, and waits for nothing: a fifo or a directory there is an error.
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

/// Writes `identity` to `path` as both generations read it; it is seen whole or not at all. The directory
/// must be there.
///
/// Blocks for as long as the disk takes.
///
/// # Errors
///
/// [`IdentityFileError::Write`], and [`IdentityFileError::Malformed`] for an executable whose path is not
/// UTF-8. What was at the path is still there.
pub fn write(path: &Path, identity: &Identity) -> Result<(), IdentityFileError> {
    let text = json::text(identity)
        .map_err(|source| IdentityFileError::Malformed { path: path.to_owned(), source })?;
    Ok(write_atomic(path, text.as_bytes(), 0o600)?)
}

/// Removes the identity file at `path` if it describes the process `pid`, and says whether it did.
///
/// # Errors
///
/// [`IdentityFileError::Remove`]. A file that cannot be read is not ours to remove, and no error.
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
