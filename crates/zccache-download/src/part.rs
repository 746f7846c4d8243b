//! The unfinished file beside the destination.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use zccache_ipc::endpoint::{Access, OwnFileError, is_at, move_file, open_own, reopen_own};

use crate::Problem;

/// Number of attempts to open a file that another process renames or removes meanwhile.
const ATTEMPTS: u32 = 5;

/// The open file `<destination>.part`, locked against other processes.
#[derive(Debug)]
pub(crate) struct PartFile {
    destination: PathBuf,
    path: PathBuf,
    file: File,
}

impl PartFile {
    /// Opens or creates the unfinished file of `destination`, and the directories above it.
    pub(crate) fn open(destination: &Path) -> Result<Self, Problem> {
        check(destination)?;
        let directory = parent(destination)?;
        fs::create_dir_all(directory)
            .map_err(|error| Problem::file("make the directory", directory, error))?;
        let path = beside(destination, ".part");
        for _ in 0..ATTEMPTS {
            let opened = open_own(&path, Access::CreateShared).map_err(|error| not_ours("write", error))?;
            let file = opened.ok_or_else(|| Problem::file("write", &path, ErrorKind::NotFound.into()))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(Problem::Destination { path, why: "another process downloads to it" });
                }
                Err(TryLockError::Error(error)) => return Err(Problem::file("lock", &path, error)),
            }
            // The earlier lock holder may have finished and renamed the file meanwhile.
            if is_at(&file, &path).map_err(|error| Problem::file("read", &path, error))? {
                return Ok(Self { destination: destination.to_owned(), path, file });
            }
        }
        Err(Problem::Destination { path, why: "another process removes it repeatedly" })
    }

    /// Returns the path of the notes.
    pub(crate) fn notes(&self) -> PathBuf {
        beside(&self.path, ".json")
    }

    pub(crate) fn len(&self) -> Result<u64, Problem> {
        Ok(self.file.metadata().map_err(|error| self.failed("read", error))?.len())
    }

    /// Truncates the file.
    pub(crate) fn clear(&self) -> Result<(), Problem> {
        self.file.set_len(0).map_err(|error| self.failed("write", error))
    }

    /// Returns a separate handle that writes at offset `at`.
    pub(crate) fn writer(&self, at: u64) -> Result<File, Problem> {
        let mut file = reopen_own(&self.file, &self.path).map_err(|error| not_ours("write", error))?;
        file.seek(SeekFrom::Start(at)).map_err(|error| self.failed("write", error))?;
        Ok(file)
    }

    /// Flushes the written bytes to the disk.
    pub(crate) fn sync(&self) -> Result<(), Problem> {
        self.file.sync_data().map_err(|error| self.failed("write", error))
    }

    /// Renames the file of `total` bytes to the destination.
    pub(crate) fn finish(self, total: u64) -> Result<(), Problem> {
        let len = self.len()?;
        if len != total {
            return Err(Problem::Nonsense(format!("the file has {len} bytes after {total} were received")));
        }
        self.file.sync_all().map_err(|error| self.failed("write", error))?;
        check(&self.destination)?;
        if !is_at(&self.file, &self.path).map_err(|error| self.failed("read", error))? {
            return Err(Problem::Destination { path: self.path, why: "another process replaced it" });
        }
        move_file(&self.path, &self.destination)
            .map_err(|error| Problem::file("write", &self.destination, error))?;
        // Optional: the file is complete, and some systems cannot sync a directory.
        let _ =
            parent(&self.destination).map(|directory| File::open(directory).and_then(|dir| dir.sync_all()));
        Ok(())
    }

    /// Removes the unfinished file.
    pub(crate) fn remove(self) -> Result<(), Problem> {
        fs::remove_file(&self.path).map_err(|error| self.failed("remove", error))
    }

    pub(crate) fn failed(&self, what: &'static str, error: io::Error) -> Problem {
        Problem::file(what, &self.path, error)
    }
}

/// Refuses a destination that exists and is not a regular file.
fn check(destination: &Path) -> Result<(), Problem> {
    match fs::metadata(destination) {
        Ok(metadata) if metadata.is_dir() => {
            Err(Problem::Destination { path: destination.to_owned(), why: "it is a directory" })
        }
        Ok(metadata) if !metadata.is_file() => {
            Err(Problem::Destination { path: destination.to_owned(), why: "it is not a regular file" })
        }
        // If the check itself fails, the later write reports the reason.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Returns the problem of a file beside a destination that cannot be used.
pub(crate) fn not_ours(what: &'static str, error: OwnFileError) -> Problem {
    match error {
        OwnFileError::NotAFile { path, .. } => {
            Problem::Destination { path, why: "it exists and is not a regular file" }
        }
        OwnFileError::Foreign { path, .. } => {
            Problem::Destination { path, why: "it belongs to another user" }
        }
        OwnFileError::Linked(path) => {
            Problem::Destination { path, why: "it is a hard link to a file with another name" }
        }
        OwnFileError::Io { path, source } => Problem::file(what, path, source),
        error => Problem::Nonsense(error.to_string()),
    }
}

fn parent(path: &Path) -> Result<&Path, Problem> {
    let parent = path.parent().filter(|_| path.file_name().is_some());
    parent.ok_or_else(|| Problem::Destination { path: path.to_owned(), why: "it has no file name" })
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_another_process_writes_is_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        let destination = dir.path().join("deep/er/file");
        let first = PartFile::open(&destination).unwrap();
        assert!(matches!(PartFile::open(&destination), Err(Problem::Destination { .. })));
        drop(first);
        PartFile::open(&destination).unwrap();
    }

    #[test]
    fn only_a_regular_file_is_written() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(PartFile::open(dir.path()), Err(Problem::Destination { .. })));
        fs::create_dir(dir.path().join("f.part")).unwrap();
        assert!(matches!(PartFile::open(&dir.path().join("f")), Err(Problem::Destination { .. })));
        fs::write(dir.path().join("g"), "x").unwrap();
        assert!(matches!(PartFile::open(&dir.path().join("g/h")), Err(Problem::File { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_another_user_may_have_placed_is_not_written() {
        let dir = tempfile::tempdir().unwrap();
        let (destination, part) = (dir.path().join("f"), dir.path().join("f.part"));
        let check = |reason: &str| match PartFile::open(&destination) {
            Err(Problem::Destination { path, why }) => {
                assert_eq!(path, part);
                assert!(why.contains(reason), "{why}");
            }
            other => panic!("{reason}: {other:?}"),
        };
        fs::write(dir.path().join("precious"), "kept").unwrap();
        fs::hard_link(dir.path().join("precious"), &part).unwrap();
        check("hard link");
        fs::remove_file(&part).unwrap();
        std::os::unix::fs::symlink(dir.path().join("precious"), &part).unwrap();
        check("not a regular file");
        fs::remove_file(&part).unwrap();
        assert_eq!(fs::read_to_string(dir.path().join("precious")).unwrap(), "kept");
        fs::write(&part, "theirs").unwrap();
        // Only root can change the owner of a file.
        if std::os::unix::fs::chown(&part, Some(12345), None).is_ok() {
            check("another user");
            assert_eq!(fs::read_to_string(&part).unwrap(), "theirs");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_is_replaced_while_it_is_written_is_not_moved_into_place() {
        let dir = tempfile::tempdir().unwrap();
        let destination = dir.path().join("f");
        let part = PartFile::open(&destination).unwrap();
        io::Write::write_all(&mut part.writer(0).unwrap(), b"new").unwrap();
        fs::remove_file(dir.path().join("f.part")).unwrap();
        fs::write(dir.path().join("f.part"), "other").unwrap();
        assert!(matches!(part.writer(0), Err(Problem::File { .. })));
        assert!(matches!(
            part.finish(3),
            Err(Problem::Destination { why: "another process replaced it", .. })
        ));
        assert!(!destination.exists());
    }

    #[test]
    fn a_file_of_another_length_is_not_renamed_to_the_destination() {
        let dir = tempfile::tempdir().unwrap();
        let destination = dir.path().join("f");
        fs::write(&destination, "before").unwrap();
        let part = PartFile::open(&destination).unwrap();
        io::Write::write_all(&mut part.writer(0).unwrap(), b"new").unwrap();
        assert!(matches!(part.finish(4), Err(Problem::Nonsense(_))));
        assert_eq!(fs::read(&destination).unwrap(), b"before");
        PartFile::open(&destination).unwrap().finish(3).unwrap();
        assert_eq!(fs::read(&destination).unwrap(), b"new");
        assert!(!dir.path().join("f.part").exists());
    }
}
