//! Small files from other programs, read without trust.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    time::SystemTime,
};

use thiserror::Error;

use crate::{FileKind, os};

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
    /// The file could not be read.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// Returns the contents of the regular file at `path`; `None` if it is missing.
///
/// Reads at most `limit` bytes. It does not wait and follows no link, so that a fifo or a directory at the
/// path is an error and does not block.
///
/// # Errors
///
/// [`ReadError`].
pub fn read_small(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, ReadError> {
    let io = |source| ReadError::Io { path: path.to_owned(), source };
    let kind = |kind| ReadError::NotAFile { path: path.to_owned(), kind };
    let file = match os::open_for_reading(path) {
        Ok(file) => file,
        Err(error) => {
            return match fs::symlink_metadata(path) {
                Ok(metadata) if !metadata.is_file() => Err(kind(os::file_kind(&metadata))),
                _ if error.kind() == io::ErrorKind::NotFound => Ok(None),
                _ => Err(io(error)),
            };
        }
    };
    let metadata = file.metadata().map_err(io)?;
    if !metadata.is_file() {
        return Err(kind(os::file_kind(&metadata)));
    }
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
    use super::*;

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

    #[cfg(unix)]
    #[test]
    fn a_path_leads_to_a_file_until_the_file_is_removed_or_replaced() {
        let dir = tempfile::TempDir::new().expect("a temporary directory");
        let (path, link) = (dir.path().join("f"), dir.path().join("link"));
        fs::write(&path, "1").expect("written");
        std::os::unix::fs::symlink(&path, &link).expect("linked");
        let file = File::open(&path).expect("it is there");
        assert!(leads_to(&path, &file).expect("it can be asked"));
        assert!(leads_to(&link, &file).expect("it can be asked"));
        fs::rename(&path, dir.path().join("g")).expect("renamed");
        assert!(!leads_to(&link, &file).expect("it can be asked"));
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
