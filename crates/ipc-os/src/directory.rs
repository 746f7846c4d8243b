//! The directories of sockets and locks: real, owned by this user, and closed to other users.

use std::{
    io,
    path::{Path, PathBuf},
};

use thiserror::Error;

use crate::{DirPolicy, FileKind, allow_owner, make_directory, os, show_file};

/// A directory is not safe against other users.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// The path is a symbolic link.
    #[error("{} is a symbolic link, not a directory", .0.display())]
    Symlink(PathBuf),
    /// Another user owns the directory.
    #[error("the directory {} belongs to user {owner}, not to user {expected}", path.display())]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// The owner's user id.
        owner: u32,
        /// Our effective user id.
        expected: u32,
    },
    /// Other users may create and remove files in the directory.
    #[error("the directory {} has mode {mode:04o} and is writable by others", path.display())]
    Writable {
        /// The directory.
        path: PathBuf,
        /// The permission bits of the directory.
        mode: u32,
    },
    /// Other users may read a directory that must be private.
    #[error("the directory {} has mode {mode:04o} and is open to others", path.display())]
    Readable {
        /// The directory.
        path: PathBuf,
        /// The permission bits of the directory.
        mode: u32,
    },
    /// A file that is not a directory is at the path.
    #[error("{} is {kind}, not a directory", path.display())]
    NotADirectory {
        /// The path.
        path: PathBuf,
        /// The kind of the file that is there.
        kind: FileKind,
    },
    /// The directory could not be created, examined or tightened.
    #[error("cannot use the directory {}", path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

impl DirectoryError {
    /// Returns the path that caused the error.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Symlink(path)
            | Self::Foreign { path, .. }
            | Self::Writable { path, .. }
            | Self::Readable { path, .. }
            | Self::NotADirectory { path, .. }
            | Self::Io { path, .. } => path,
        }
    }

    /// Returns a command that fixes the error.
    ///
    /// For a directory that may belong to somebody else, the command only looks at it.
    #[must_use]
    pub fn fix(&self) -> String {
        let path = self.path();
        match self {
            Self::Writable { .. } | Self::Readable { .. } => allow_owner(path, "700"),
            Self::Symlink(_) | Self::NotADirectory { .. } | Self::Foreign { .. } => {
                format!("see whose it is: {}", show_file(path))
            }
            Self::Io { .. } => make_directory(path),
        }
    }
}

/// Makes sure that only this user can change the directory `path`.
///
/// A missing directory is created with mode 0700, and its missing parents with the default mode. On Unix an
/// existing directory must be real, owned by this user, and not writable by others; `/tmp` itself (owned by
/// root, with the sticky bit) is the one exception, because compacted endpoint names are in it
/// (`docs/spec/endpoint.md#compaction`). On Windows it must be a real directory; the profile that it is in
/// decides who may use it.
///
/// # Errors
///
/// [`DirectoryError`], which names the path and the command that fixes it.
pub fn ensure_directory(path: &Path, policy: DirPolicy) -> Result<(), DirectoryError> {
    // Removes `.` and trailing separators, because with them the system follows a link in the last component.
    let path: PathBuf = match path.components().collect::<PathBuf>() {
        empty if empty.as_os_str().is_empty() => PathBuf::from("."),
        path => path,
    };
    os::ensure_directory(path, policy)
}

/// Refuses a runtime directory that another user could replace.
///
/// It must be a real directory, owned by this user, and not writable by others; and no directory above it may
/// be writable by everybody, unless it has the sticky bit, as `/tmp` has. A missing directory is created.
/// Windows has no runtime directory.
///
/// # Errors
///
/// [`DirectoryError`], which names the directory that caused it.
pub fn check_runtime_directory(path: &Path) -> Result<(), DirectoryError> {
    ensure_directory(path, DirPolicy::Shared)?;
    path.ancestors().skip(1).try_for_each(os::check_above)
}

/// Returns true if only this user can use the directory `path`.
///
/// Returns false if it is missing. Changes nothing, and makes no exception for `/tmp`. On Windows it must be a
/// real directory.
///
/// # Errors
///
/// [`DirectoryError`], which names the path and the command that fixes it.
pub fn check_private_directory(path: &Path) -> Result<bool, DirectoryError> {
    let path: PathBuf = path.components().collect();
    os::check_private_directory(path)
}

#[cfg(all(test, unix))] // the commands are those of sh
mod tests {
    use super::*;

    #[test]
    fn every_violation_names_the_path_and_its_fix() {
        #[track_caller]
        fn check(error: DirectoryError, text: &str, fix: &str) {
            assert_eq!((error.to_string().as_str(), error.fix().as_str()), (text, fix));
        }
        let path = || PathBuf::from("/tmp/zccache-alice");
        check(
            DirectoryError::Writable { path: path(), mode: 0o777 },
            "the directory /tmp/zccache-alice has mode 0777 and is writable by others",
            "chmod 700 /tmp/zccache-alice",
        );
        check(
            DirectoryError::Readable { path: path(), mode: 0o755 },
            "the directory /tmp/zccache-alice has mode 0755 and is open to others",
            "chmod 700 /tmp/zccache-alice",
        );
        check(
            DirectoryError::Symlink(path()),
            "/tmp/zccache-alice is a symbolic link, not a directory",
            "see whose it is: ls -ld /tmp/zccache-alice",
        );
        check(
            DirectoryError::Foreign { path: "/tmp/zccache-Al's".into(), owner: 7, expected: 1000 },
            "the directory /tmp/zccache-Al's belongs to user 7, not to user 1000",
            "see whose it is: ls -ld \"/tmp/zccache-Al's\"",
        );
        check(
            DirectoryError::NotADirectory { path: path(), kind: FileKind::File },
            "/tmp/zccache-alice is a regular file, not a directory",
            "see whose it is: ls -ld /tmp/zccache-alice",
        );
    }
}
