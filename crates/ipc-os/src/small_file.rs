//! Small files from other programs, read without trust.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    time::SystemTime,
};

use thiserror::Error;

use crate::{Access, FileKind, OwnFileError, open_own, os};

/// A file was not read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file is not a regular file.
    #[error("{} is {kind}, not a file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// The kind of the file that is there.
        kind: FileKind,
    },
    /// The file is longer than the limit.
    #[error("{} is longer than {limit} bytes", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The largest size in bytes.
        limit: u64,
    },
    /// Another user owns the file, or it has a second name.
    #[error(transparent)]
    NotOwn(OwnFileError),
    /// The file could not be read.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// Returns the contents of this user's file at `path`; `None` if it is missing.
///
/// Reads at most `limit` bytes. Opens the file as [`open_own`] does: a fifo or a directory at the path is an
/// error and does not block, and a file that another user put there is not read.
///
/// # Errors
///
/// [`ReadError`].
pub fn read_small(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, ReadError> {
    let io = |source| ReadError::Io { path: path.to_owned(), source };
    let file = match open_own(path, Access::Read) {
        Ok(Some(file)) => file,
        Ok(None) => return Ok(None),
        Err(OwnFileError::NotAFile { path, kind }) => return Err(ReadError::NotAFile { path, kind }),
        Err(OwnFileError::Io { source, .. }) => return Err(io(source)),
        Err(refused @ (OwnFileError::Foreign { .. } | OwnFileError::Linked(_))) => {
            return Err(ReadError::NotOwn(refused));
        }
    };
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > limit {
        return Err(ReadError::TooLong { path: path.to_owned(), limit });
    }
    Ok(Some(bytes))
}

/// Identifies one state of a file by file, modification time and length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileStamp {
    file: (u64, u64),
    modified: Option<SystemTime>,
    len: u64,
}

impl FileStamp {
    /// Returns the stamp of an open file.
    ///
    /// # Errors
    ///
    /// The system's error.
    pub fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self { file: os::file_id(&metadata), modified: metadata.modified().ok(), len: metadata.len() })
    }
}

/// Returns true if `path`, links followed, still names the open `file`.
///
/// An open file that was removed or replaced keeps its contents, but no process can open it again.
///
/// # Errors
///
/// The system's error if the path cannot be examined; a missing file is `false`.
pub fn leads_to(path: &Path, file: &File) -> io::Result<bool> {
    os::leads_to(path, file)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_link_and_a_file_with_a_second_name_are_not_read() {
        let dir = tempfile::TempDir::new().expect("a temporary directory");
        let [path, hard, soft] = ["f", "hard", "soft"].map(|name| dir.path().join(name));
        fs::write(&path, "1234").expect("written");
        std::os::unix::fs::symlink(&path, &soft).expect("linked");
        assert!(matches!(read_small(&soft, 4), Err(ReadError::NotAFile { .. })));
        fs::hard_link(&path, &hard).expect("linked");
        assert!(matches!(read_small(&hard, 4), Err(ReadError::NotOwn(OwnFileError::Linked(_)))));
    }

    #[test]
    fn only_a_regular_file_within_the_limit_is_read() {
        let dir = tempfile::TempDir::new().expect("a temporary directory");
        let path = dir.path().join("f");
        assert!(matches!(read_small(&path, 4), Ok(None)));
        fs::write(&path, "1234").expect("written");
        assert_eq!(read_small(&path, 4).expect("it fits"), Some(b"1234".to_vec()));
        assert!(matches!(read_small(&path, 3), Err(ReadError::TooLong { limit: 3, .. })));
        assert!(matches!(
            read_small(dir.path(), 4),
            Err(ReadError::NotAFile { kind: FileKind::Directory, .. })
        ));
    }

    #[test]
    fn a_path_leads_to_a_file_until_the_file_is_removed_or_replaced() {
        let dir = tempfile::TempDir::new().expect("a temporary directory");
        let path = dir.path().join("f");
        fs::write(&path, "1").expect("written");
        let file = File::open(&path).expect("it is there");
        assert!(leads_to(&path, &file).expect("it can be asked"));
        #[cfg(unix)]
        {
            let link = dir.path().join("link");
            std::os::unix::fs::symlink(&path, &link).expect("linked");
            assert!(leads_to(&link, &file).expect("it can be asked"));
        }
        fs::rename(&path, dir.path().join("g")).expect("renamed");
        assert!(!leads_to(&path, &file).expect("it can be asked"));
        assert!(leads_to(&dir.path().join("g"), &file).expect("it can be asked"));
        fs::write(&path, "1").expect("written");
        assert!(!leads_to(&path, &file).expect("it can be asked"));
    }

    #[test]
    fn another_file_or_another_length_is_another_stamp() {
        let dir = tempfile::TempDir::new().expect("a temporary directory");
        let path = dir.path().join("f");
        let stamp = || FileStamp::of(&File::open(&path).expect("it is there")).expect("it can be asked");
        fs::write(&path, "1").expect("written");
        let first = stamp();
        assert_eq!(stamp(), first);
        fs::write(&path, "22").expect("written");
        assert_ne!(stamp(), first);
        fs::write(dir.path().join("g"), "1").expect("written");
        fs::rename(dir.path().join("g"), &path).expect("renamed");
        assert_ne!(stamp(), first);
    }
}
