//! The directories that sockets and locks are in: ours, real, and closed to others.

use std::{
    io,
    path::{Path, PathBuf},
};

use thiserror::Error;

use crate::{DirPolicy, FileKind, os, shell_word};

/// A directory in which others could interfere.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// The path is a symbolic link.
    #[error("{} is a symbolic link, not a directory", .0.display())]
    Symlink(PathBuf),
    /// Another user owns it.
    #[error("the directory {} belongs to user {owner}, not to user {expected}", path.display())]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// Its owner's user id.
        owner: u32,
        /// Our effective user id.
        expected: u32,
    },
    /// Others may create and remove files in it.
    #[error("the directory {} has mode {mode:04o} and is writable by others", path.display())]
    Writable {
        /// The directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Others may see what is in it, where nobody but we should.
    #[error("the directory {} has mode {mode:04o} and is open to others", path.display())]
    Readable {
        /// The directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Something else is at the path.
    #[error("{} is {kind}, not a directory", path.display())]
    NotADirectory {
        /// The path.
        path: PathBuf,
        /// What is there.
        kind: FileKind,
    },
    /// It could not be created, looked at or tightened.
    #[error("cannot use the directory {}", path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl DirectoryError {
    /// The path that is at fault.
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

    /// Returns what to do about it. What is not known to be ours is only looked at.
    #[must_use]
    pub fn fix(&self) -> String {
        let path = shell_word(&self.path().to_string_lossy());
        match self {
            Self::Writable { .. } | Self::Readable { .. } => format!("chmod 700 {path}"),
            Self::Symlink(_) | Self::NotADirectory { .. } | Self::Foreign { .. } => {
                format!("see whose it is: ls -ld {path}")
            }
            Self::Io { .. } => format!("mkdir -p {path} && chmod 700 {path}"),
        }
    }
}

/// Makes sure that only we can change what is in `path`, creating it 0700 when it is missing.
///
/// Missing parents are created with the default mode. On Unix an existing directory must be real, ours, and
/// not writable by others; `/tmp` itself (root's, with the sticky bit) is the one exception, because
/// compacted endpoint names are in it (`docs/spec/endpoint.md#compaction`). On Windows it must be a real
/// directory; who may use it follows from the profile that it is in.
///
/// # Errors
///
/// [`DirectoryError`], which names the path and the command that fixes it.
pub fn ensure_directory(path: &Path, policy: DirPolicy) -> Result<(), DirectoryError> {
    // Without `.` and trailing separators, which would make the last component be followed if it is a link.
    let path: PathBuf = match path.components().collect::<PathBuf>() {
        empty if empty.as_os_str().is_empty() => PathBuf::from("."),
        path => path,
    };
    os::ensure_directory(path, policy)
}

/// Refuses a runtime directory in which another user could put another directory in the place of ours.
///
/// It must be a real directory, ours, and not writable by others; and no directory above it may be writable by
/// everybody, unless it is sticky as `/tmp` is. A missing one is made. Windows has none.
///
/// # Errors
///
/// [`DirectoryError`], which names the directory that is at fault.
pub fn check_runtime_directory(path: &Path) -> Result<(), DirectoryError> {
    ensure_directory(path, DirPolicy::Shared)?;
    path.ancestors().skip(1).try_for_each(os::check_above)
}

/// Looks whether `path` is a directory that nobody but we can use; false if nothing is there.
///
/// Changes nothing, and makes no exception for `/tmp`. On Windows it must be a real directory.
///
/// # Errors
///
/// [`DirectoryError`], which names the path and the command that fixes it.
pub fn check_private_directory(path: &Path) -> Result<bool, DirectoryError> {
    let path: PathBuf = path.components().collect();
    os::check_private_directory(path)
}

#[cfg(test)]
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
