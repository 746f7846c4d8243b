//! The unfinished file beside the destination.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use zccache_ipc::endpoint::{Access, OwnFileError, is_at, open_own, reopen_own};

use crate::Problem;

/// How often a file that is renamed or removed under our hands is opened again.
const ATTEMPTS: u32 = 5;

/// `<destination>.part`, locked against other processes for as long as it lives.
#[derive(Debug)]
pub(crate) struct PartFile {
    destination: PathBuf,
    path: PathBuf,
    file: File,
}

impl PartFile {
    /// Opens what there is of `destination`, or makes it, and the directories above it.
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
            // The process that had the lock may have finished the file and renamed it meanwhile.
            if is_at(&file, &path).map_err(|error| Problem::file("read", &path, error))? {
                return Ok(Self { destination: destination.to_owned(), path, file });
            }
        }
        Err(Problem::Destination { path, why: "somebody removes it again and again" })
    }

    /// Where what is remembered of it is.
    pub(crate) fn notes(&self) -> PathBuf {
        beside(&self.path, ".json")
    }

    pub(crate) fn len(&self) -> Result<u64, Problem> {
        Ok(self.file.metadata().map_err(|error| self.failed("read", error))?.len())
    }

    /// Throws away what there is.
    pub(crate) fn clear(&self) -> Result<(), Problem> {
        self.file.set_len(0).map_err(|error| self.failed("write", error))
    }

    /// Returns a handle of its own that writes at `at`.
    pub(crate) fn writer(&self, at: u64) -> Result<File, Problem> {
        let mut file = reopen_own(&self.file, &self.path).map_err(|error| not_ours("write", error))?;
        file.seek(SeekFrom::Start(at)).map_err(|error| self.failed("write", error))?;
        Ok(file)
    }

    /// Waits until what was written is on the disk.
    pub(crate) fn sync(&self) -> Result<(), Problem> {
        self.file.sync_data().map_err(|error| self.failed("write", error))
    }

    /// Puts the file of `total` bytes in the destination's place.
    pub(crate) fn finish(self, total: u64) -> Result<(), Problem> {
        let len = self.len()?;
        if len != total {
            return Err(Problem::Nonsense(format!("{len} bytes were written and {total} came")));
        }
        self.file.sync_all().map_err(|error| self.failed("write", error))?;
        check(&self.destination)?;
        if !is_at(&self.file, &self.path).map_err(|error| self.failed("read", error))? {
            return Err(Problem::Destination { path: self.path, why: "somebody replaced it" });
        }
        fs::rename(&self.path, &self.destination)
            .map_err(|error| Problem::file("write", &self.destination, error))?;
        // The file is whole either way; not every system lets a directory be synced.
        let _ =
            parent(&self.destination).map(|directory| File::open(directory).and_then(|dir| dir.sync_all()));
        Ok(())
    }

    /// Removes what there is.
    pub(crate) fn remove(self) -> Result<(), Problem> {
        fs::remove_file(&self.path).map_err(|error| self.failed("remove", error))
    }

    pub(crate) fn failed(&self, what: &'static str, error: io::Error) -> Problem {
        Problem::file(what, &self.path, error)
    }
}

/// Refuses a destination that a file cannot take the place of.
fn check(destination: &Path) -> Result<(), Problem> {
    match fs::metadata(destination) {
        Ok(metadata) if metadata.is_dir() => {
            Err(Problem::Destination { path: destination.to_owned(), why: "it is a directory" })
        }
        Ok(metadata) if !metadata.is_file() => {
            Err(Problem::Destination { path: destination.to_owned(), why: "it is no regular file" })
        }
        // What cannot be looked at is found out by the writing.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Tells why a file beside a destination is not used.
pub(crate) fn not_ours(what: &'static str, error: OwnFileError) -> Problem {
    match error {
        OwnFileError::NotAFile { path, .. } => {
            Problem::Destination { path, why: "it is there and is no regular file" }
        }
        OwnFileError::Foreign { path, .. } => {
            Problem::Destination { path, why: "it belongs to another user" }
        }
        OwnFileError::Linked(path) => {
            Problem::Destination { path, why: "it is a hard link to a file that has another name too" }
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
    fn a_file_that_somebody_else_writes_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let destination = dir.path().join("deep/er/file");
        let first = PartFile::open(&destination).unwrap();
        assert!(matches!(PartFile::open(&destination), Err(Problem::Destination { .. })));
        drop(first);
        PartFile::open(&destination).unwrap();
    }

    #[test]
    fn what_is_no_file_is_not_written_to() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(PartFile::open(dir.path()), Err(Problem::Destination { .. })));
        fs::create_dir(dir.path().join("f.part")).unwrap();
        assert!(matches!(PartFile::open(&dir.path().join("f")), Err(Problem::Destination { .. })));
        fs::write(dir.path().join("g"), "x").unwrap();
        assert!(matches!(PartFile::open(&dir.path().join("g/h")), Err(Problem::File { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn what_another_user_can_have_put_there_is_not_written_through() {
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
        check("no regular file");
        fs::remove_file(&part).unwrap();
        assert_eq!(fs::read_to_string(dir.path().join("precious")).unwrap(), "kept");
        fs::write(&part, "theirs").unwrap();
        // Only root can give a file away.
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
        assert!(matches!(part.finish(3), Err(Problem::Destination { why: "somebody replaced it", .. })));
        assert!(!destination.exists());
    }

    #[test]
    fn a_file_of_another_length_does_not_take_the_destinations_place() {
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
