//! Files of ours, in directories that others may write to.

use std::{fs::File, io, path::Path, path::PathBuf};

use thiserror::Error;

use crate::{FileKind, os};

/// What an opened file is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading.
    Read,
    /// Reading and writing.
    Write,
    /// Reading and writing; a missing file is made, and the file is for its owner only.
    Create,
    /// Reading and writing; a missing file is made with the mode that the umask leaves.
    CreateShared,
}

/// A file that was not opened. It was not changed either.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OwnFileError {
    /// It is not a regular file.
    #[error("{} is {kind}, not a regular file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What is there.
        kind: FileKind,
    },
    /// Another user owns it.
    #[error("{} belongs to user {owner}, not to user {expected}", path.display())]
    Foreign {
        /// The path.
        path: PathBuf,
        /// Its owner's user id.
        owner: u32,
        /// Our effective user id.
        expected: u32,
    },
    /// It has a second name, which another user may have chosen among our files.
    #[error("{} is a hard link to a file that has another name too", .0.display())]
    Linked(PathBuf),
    /// It could not be opened.
    #[error("cannot open {}", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// Opens the regular file at `path` if it belongs to this user and has no other name; `None` if nothing is there.
///
/// Every file in a directory that others may write to is opened by this function: it follows no link, waits for
/// no fifo, and touches the contents of no file that another user put there. Windows keeps other users out by
/// the profile's access list, and checks the type only.
///
/// # Errors
///
/// [`OwnFileError`].
pub fn open_own(path: &Path, access: Access) -> Result<Option<File>, OwnFileError> {
    os::open_own(path, access)
}

/// Opens `file` once more at `path`, with a position of its own, if `path` still names it.
///
/// # Errors
///
/// [`OwnFileError`].
pub fn reopen_own(file: &File, path: &Path) -> Result<File, OwnFileError> {
    let failed = |source| OwnFileError::Io { path: path.to_owned(), source };
    let again = open_own(path, Access::Write)?.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
    match os::are_same(file, &again) {
        Ok(true) => Ok(again),
        Ok(false) => Err(failed(io::Error::other("it was replaced while it was used"))),
        Err(error) => Err(failed(error)),
    }
}

/// Returns true if `path`, not followed if it is a link, names the open `file`.
///
/// # Errors
///
/// The system's error when the path cannot be looked at; a missing file is `false`.
pub fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    os::is_at(file, path)
}
