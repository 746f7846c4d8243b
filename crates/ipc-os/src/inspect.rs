//! Looking at directories and files without touching them, for those who only report.

use std::{io, path::Path};

use crate::{DirPolicy, DirectoryError, FileKind, os};

/// What a directory is like that [`ensure_directory`](crate::ensure_directory) would not refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DirectoryState {
    /// There is none; it would be made.
    Missing,
    /// Only we can change what is in it.
    Safe,
    /// Others can look into it; it would be tightened to 0700.
    Loose {
        /// Its permission bits.
        mode: u32,
    },
}

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// Its kind; links are not followed.
    pub kind: FileKind,
    /// How long it is.
    pub length: u64,
    /// The owner, where it is another user.
    pub foreign_owner: Option<u32>,
    /// Its permission bits, where the system has them.
    pub mode: Option<u32>,
}

/// Says what [`ensure_directory`](crate::ensure_directory) would find, and changes nothing.
///
/// # Errors
///
/// [`DirectoryError`], for what would be refused.
pub fn inspect_directory(path: &Path, policy: DirPolicy) -> Result<DirectoryState, DirectoryError> {
    os::inspect_directory(path.components().collect(), policy)
}

/// Whether this process may make files in the directory `path`, or in the nearest one above that exists.
#[must_use]
pub fn is_writable(path: &Path) -> bool {
    path.ancestors().find(|path| path.exists()).is_some_and(os::is_writable)
}

/// Says what is at `path`; `None` where nothing is.
///
/// # Errors
///
/// What the system said.
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
    fn looking_changes_nothing_and_tells_what_would_be_refused() {
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
