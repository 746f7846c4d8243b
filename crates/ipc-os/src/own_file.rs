//! This user's files in directories that others may write to.

use std::{fs::File, io, path::Path, path::PathBuf};

use thiserror::Error;

use crate::{FileKind, os};

/// The use of an opened file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading.
    Read,
    /// Reading and writing.
    Write,
    /// Reading and writing; a missing file is created, and only its owner may use the file.
    Create,
    /// Reading and writing; a missing file is created with the mode that the umask leaves.
    CreateShared,
}

/// A file was not opened, and not changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OwnFileError {
    /// The file is not a regular file.
    #[error("{} is {kind}, not a regular file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// The kind of the file that is there.
        kind: FileKind,
    },
    /// Another user owns the file.
    #[error("{} belongs to user {owner}, not to user {expected}", path.display())]
    Foreign {
        /// The path.
        path: PathBuf,
        /// The owner's user id.
        owner: u32,
        /// Our effective user id.
        expected: u32,
    },
    /// The file has a second name, by which another user may have put it among our files.
    #[error("{} is a hard link to a file that has another name too", .0.display())]
    Linked(PathBuf),
    /// The file could not be opened.
    #[error("cannot open {}", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// Opens the regular file at `path` if it is this user's and has no other name.
///
/// `None` if there is no file. All code that opens a file in a directory that others may write to uses this
/// function: it follows no link, waits for no fifo, and does not touch the contents of a file that another
/// user put there. On Windows the profile's access list keeps other users out, and only the type is checked.
///
/// # Errors
///
/// [`OwnFileError`].
pub fn open_own(path: &Path, access: Access) -> Result<Option<File>, OwnFileError> {
    os::open_own(path, access)
}

/// Opens `file` again at `path`, with its own position, if `path` still names it.
///
/// # Errors
///
/// [`OwnFileError`].
pub fn reopen_own(file: &File, path: &Path) -> Result<File, OwnFileError> {
    let failed = |source| OwnFileError::Io { path: path.to_owned(), source };
    let again = open_own(path, Access::Write)?.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
    match os::are_same(file, &again) {
        Ok(true) => Ok(again),
        Ok(false) => Err(failed(io::Error::other("the file was replaced while it was in use"))),
        Err(error) => Err(failed(error)),
    }
}

/// Returns true if `path` names the open `file`; a link is not followed.
///
/// # Errors
///
/// The system's error if the path cannot be examined; a missing file is `false`.
pub fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    os::is_at(file, path)
}
