//! Examines directories and files without changing them, for callers that only report.

use std::{io, path::Path};

use crate::{DirPolicy, DirectoryError, FileKind, os};

/// The state of a directory that `ensure_directory` accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DirectoryState {
    /// The directory is missing and would be created.
    Missing,
    /// Only this user can change the contents of the directory.
    Safe,
    /// Others can read the directory; `ensure_directory` would set its mode to 0700.
    Loose {
        /// The permission bits of the directory.
        mode: u32,
    },
}

/// The file at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// The file's kind; links are not followed.
    pub kind: FileKind,
    /// The file's length in bytes.
    pub length: u64,
    /// The owner, if it is another user.
    pub foreign_owner: Option<u32>,
    /// The permission bits, if the system has them.
    pub mode: Option<u32>,
}

/// Returns the state that `ensure_directory` would find, and changes nothing.
///
/// # Errors
///
/// [`DirectoryError`], as [`ensure_directory`](crate::ensure_directory) would return.
pub fn inspect_directory(path: &Path, policy: DirPolicy) -> Result<DirectoryState, DirectoryError> {
    os::inspect_directory(path.components().collect(), policy)
}

/// Returns true if this process may create files in the directory `path`.
///
/// If `path` does not exist, the nearest existing directory above it counts.
#[must_use]
pub fn is_writable(path: &Path) -> bool {
    path.ancestors().find(|path| path.exists()).is_some_and(os::is_writable)
}

/// Returns the file at `path`; `None` if there is no file.
///
/// # Errors
///
/// The system's error.
pub fn look_at(path: &Path) -> io::Result<Option<Found>> {
    match os::look_at(path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        found => found.map(Some),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn an_inspection_changes_nothing_and_reports_refusals() {
        let dir = tempfile::tempdir().expect("a directory");
        let inside = dir.path().join("inside");
        let inspect = || inspect_directory(&inside, DirPolicy::Dedicated);
        assert_eq!(inspect().expect("nothing is there"), DirectoryState::Missing);
        assert!(is_writable(&inside) && !inside.exists());
        assert_eq!(look_at(&inside).expect("nothing is there"), None);
        fs::create_dir(&inside).expect("made");
        let chmod = |mode| fs::set_permissions(&inside, fs::Permissions::from_mode(mode)).expect("ours");
        chmod(0o755);
        assert_eq!(inspect().expect("it is ours"), DirectoryState::Loose { mode: 0o755 });
        assert_eq!(inspect_directory(&inside, DirPolicy::Shared).expect("it is ours"), DirectoryState::Safe);
        let found = look_at(&inside).expect("it is ours").expect("it is there");
        assert_eq!((found.kind, found.mode, found.foreign_owner), (FileKind::Directory, Some(0o755), None));
        chmod(0o700);
        assert_eq!(inspect().expect("it is ours"), DirectoryState::Safe);
        chmod(0o777);
        assert!(matches!(inspect().expect_err("anybody"), DirectoryError::Writable { mode: 0o777, .. }));
        chmod(0o700);
    }
}
