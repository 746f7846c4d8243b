//! Files of others that are read whole, and never more of them than expected.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::{FileKind, os};

/// A file that was not read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Something else is at the path.
    #[error("{} is {kind}, not a regular file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What is there.
        kind: FileKind,
    },
    /// It is longer than such a file can be.
    #[error("{} is longer than {limit} bytes", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The most bytes that are read.
        limit: u64,
    },
    /// It could not be opened or read.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Reads the file at `path`, of at most `limit` bytes. `None` if nothing is there.
///
/// Waits for nobody: a fifo is refused like a link or a directory.
///
/// # Errors
///
/// [`ReadError`].
pub fn read_small_file(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, ReadError> {
    let failed = |source| ReadError::Io { path: path.to_owned(), source };
    let regular = |metadata: &fs::Metadata| {
        let kind = os::file_kind(metadata);
        if kind == FileKind::File { Ok(()) } else { Err(ReadError::NotAFile { path: path.to_owned(), kind }) }
    };
    let gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    match fs::symlink_metadata(path) {
        Ok(metadata) => regular(&metadata)?,
        Err(error) if gone(&error) => return Ok(None),
        Err(error) => return Err(failed(error)),
    }
    let file = match os::open_for_reading(path) {
        Ok(file) => file,
        Err(error) if gone(&error) => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    // It may be another one by now.
    regular(&file.metadata().map_err(failed)?)?;
    let mut bytes = Vec::new();
    let read = file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    if read as u64 > limit {
        return Err(ReadError::TooLong { path: path.to_owned(), limit });
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whole_or_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("file");
        assert!(matches!(read_small_file(&path, 4), Ok(None)));
        fs::write(&path, "1234").expect("written");
        assert_eq!(read_small_file(&path, 4).expect("read").as_deref(), Some(&b"1234"[..]));
        fs::write(&path, "12345").expect("written");
        assert!(matches!(read_small_file(&path, 4), Err(ReadError::TooLong { limit: 4, .. })));
        let error = read_small_file(dir.path(), 4).expect_err("a directory");
        assert!(matches!(error, ReadError::NotAFile { kind: FileKind::Directory, .. }), "{error:?}");
    }
}
