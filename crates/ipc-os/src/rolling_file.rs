//! A file for appended lines with a bounded size.

use std::fs::{File, Metadata};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::{leads_to, os};

/// An append-only file; above its limit it becomes `<name>.1`.
///
/// `<name>.1` replaces an older one. Several processes may append to one file: each line is one write.
#[derive(Debug)]
pub struct RollingFile {
    path: PathBuf,
    limit: u64,
    file: File,
}

impl RollingFile {
    /// Opens the file; creates it and its parent directories if they are missing.
    ///
    /// # Errors
    ///
    /// The system's error.
    pub fn open(path: impl Into<PathBuf>, limit: u64) -> io::Result<Self> {
        let path = path.into();
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let file = open_to_append(&path)?;
        Ok(Self { path, limit, file })
    }

    /// Starts a new file if somebody removed the file, or renames a file that is above its limit.
    ///
    /// The directory is not made again: its modes are the business of the caller.
    fn roll(&mut self) -> io::Result<()> {
        if !leads_to(&self.path, &self.file)? {
            self.file = open_to_append(&self.path)?;
        }
        if is_above(&self.file.metadata()?, self.limit) {
            rename_to_old(&self.path)?;
            self.file = open_to_append(&self.path)?;
        }
        Ok(())
    }
}

impl Write for RollingFile {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        // If this fails, for instance because another process has just renamed the file or its directory is gone,
        // the lines go on to the old file.
        let _ = self.roll();
        self.file.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Renames the file at `path` to `<name>.1` if it is above `limit` bytes.
///
/// Replaces an older `<name>.1`. For a file that another process will append to. A missing file is not above
/// the limit.
///
/// # Errors
///
/// The system's error.
pub fn roll_over(path: &Path, limit: u64) -> io::Result<()> {
    match std::fs::metadata(path) {
        Ok(metadata) if is_above(&metadata, limit) => rename_to_old(path),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Returns true for a file above `limit`; a pipe or a terminal has no length.
fn is_above(metadata: &Metadata, limit: u64) -> bool {
    metadata.is_file() && metadata.len() > limit
}

fn rename_to_old(path: &Path) -> io::Result<()> {
    let mut old = path.as_os_str().to_owned();
    old.push(".1");
    std::fs::rename(path, old)
}

/// Opens the file at `path` for appending, or creates it.
///
/// A regular file must be this user's and have no other name, so that nothing is written to a file that another
/// user put there, nor to a file of this user through a link of another one. Waits for the reader of a fifo.
///
/// # Errors
///
/// The system's error, and [`io::ErrorKind::PermissionDenied`] for such a file or link.
pub fn open_to_append(path: &Path) -> io::Result<File> {
    os::open_to_append(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn lines_go_to_the_path_again_after_the_file_was_removed_or_moved() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("new").join("log");
        let mut log = RollingFile::open(&path, 1 << 20).unwrap();
        log.write_all(b"1").unwrap();
        std::fs::remove_file(&path).unwrap();
        log.write_all(b"2").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "2");
        let moved = dir.path().join("moved");
        std::fs::rename(&path, &moved).unwrap();
        log.write_all(b"3").unwrap();
        let read = |path: &Path| std::fs::read_to_string(path).unwrap();
        assert_eq!((read(&path), read(&moved)), ("3".to_owned(), "2".to_owned()));
        // Without its directory the line is lost and nothing is made.
        std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
        log.write_all(b"4").unwrap();
        assert!(!path.parent().unwrap().exists());
    }

    #[cfg(unix)]
    #[test]
    fn lines_go_to_a_file_with_one_name_and_through_a_link_of_this_user() {
        let dir = tempfile::TempDir::new().unwrap();
        let [path, hard, soft] = ["log", "hard", "soft"].map(|name| dir.path().join(name));
        open_to_append(&path).unwrap().write_all(b"1").unwrap();
        std::os::unix::fs::symlink(&path, &soft).unwrap();
        open_to_append(&soft).unwrap().write_all(b"2").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "12");
        open_to_append(Path::new("/dev/null")).unwrap().write_all(b"3").unwrap();
        std::fs::hard_link(&path, &hard).unwrap();
        for name in [&path, &hard, &soft] {
            let error = open_to_append(name).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{}", name.display());
        }
    }

    #[test]
    fn a_file_for_another_process_is_rolled_over_only_above_the_limit() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("log");
        roll_over(&path, 3).unwrap();
        std::fs::write(&path, "abc").unwrap();
        roll_over(&path, 3).unwrap();
        assert!(path.exists());
        std::fs::write(&path, "abcd").unwrap();
        roll_over(&path, 3).unwrap();
        assert!(!path.exists());
        assert_eq!(std::fs::read_to_string(dir.path().join("log.1")).unwrap(), "abcd");
    }

    #[test]
    fn a_file_above_its_limit_becomes_the_old_one() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("sub").join("log");
        let mut file = RollingFile::open(&path, 10).unwrap();
        for line in ["first\n", "second\n", "third\n", "fourth\n"] {
            file.write_all(line.as_bytes()).unwrap();
        }
        let old = dir.path().join("sub").join("log.1");
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "first\nsecond\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "third\nfourth\n");
        drop(file);
        let mut file = RollingFile::open(&path, 10).unwrap();
        file.write_all(b"fifth\n").unwrap();
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "third\nfourth\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "fifth\n");
    }
}
