//! Files and directories. Who may use them follows from the profile that they are in.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION};

use super::{dial::raw, lock};
use crate::{
    Access, Backoff, DirPolicy, DirectoryError, DirectoryState, FileKind, Found, InodeStamp, OwnFileError,
};

/// See [`crate::ensure_directory`].
pub(crate) fn ensure_directory(path: PathBuf, _: DirPolicy) -> Result<(), DirectoryError> {
    let metadata = fs::create_dir_all(&path).and_then(|()| fs::symlink_metadata(&path));
    match metadata {
        Ok(metadata) if metadata.is_symlink() => Err(DirectoryError::Symlink(path)),
        Ok(metadata) if !metadata.is_dir() => {
            Err(DirectoryError::NotADirectory { path, kind: file_kind(&metadata) })
        }
        Ok(_) => Ok(()),
        Err(source) => match fs::symlink_metadata(&path) {
            Ok(metadata) if !metadata.is_dir() && !metadata.is_symlink() => {
                Err(DirectoryError::NotADirectory { path, kind: file_kind(&metadata) })
            }
            _ => Err(DirectoryError::Io { path, source }),
        },
    }
}

/// See [`crate::check_private_directory`].
pub(crate) fn check_private_directory(path: PathBuf) -> Result<bool, DirectoryError> {
    Ok(inspect_directory(path, DirPolicy::Dedicated)? != DirectoryState::Missing)
}

/// The profile's access list keeps others out.
pub(crate) fn check_above(_: &Path) -> Result<(), DirectoryError> {
    Ok(())
}

/// See [`crate::inspect_directory`].
pub(crate) fn inspect_directory(path: PathBuf, _: DirPolicy) -> Result<DirectoryState, DirectoryError> {
    match fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.is_symlink() => Err(DirectoryError::Symlink(path)),
        Ok(metadata) if !metadata.is_dir() => {
            Err(DirectoryError::NotADirectory { path, kind: file_kind(&metadata) })
        }
        Ok(_) => Ok(DirectoryState::Safe),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(DirectoryState::Missing),
        Err(source) => Err(DirectoryError::Io { path, source }),
    }
}

/// See [`crate::link_to`]. A pipe has no second name.
pub(crate) fn link_to(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// See [`crate::is_writable`]. Who may write follows from access lists, which only an attempt tells.
pub(crate) fn is_writable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

/// Both were opened at one path; a file that is open stays where it is.
pub(crate) fn are_same(_one: &File, _other: &File) -> io::Result<bool> {
    Ok(true)
}

/// See [`crate::look_at`]. There are no permission bits, and owners have no numbers.
pub(crate) fn look_at(path: &Path) -> io::Result<Found> {
    let metadata = fs::symlink_metadata(path)?;
    Ok(Found { kind: file_kind(&metadata), length: metadata.len(), foreign_owner: None, mode: None })
}

/// Opens for reading.
pub(crate) fn open_for_reading(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Creates a file where nothing is.
pub(crate) fn create_new(path: &Path, _mode: Option<u32>) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// See [`crate::open_own`].
pub(crate) fn open_own(path: &Path, access: Access) -> Result<Option<File>, OwnFileError> {
    if let Ok(metadata) = fs::symlink_metadata(path)
        && !metadata.is_file()
    {
        return Err(OwnFileError::NotAFile { path: path.to_owned(), kind: file_kind(&metadata) });
    }
    let opened = match access {
        Access::Read => File::open(path),
        Access::Write => OpenOptions::new().read(true).write(true).open(path),
        Access::Create => lock::open(path),
        Access::CreateShared => {
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
        }
    };
    match opened {
        Ok(file) => Ok(Some(file)),
        Err(error)
            if error.kind() == io::ErrorKind::NotFound && matches!(access, Access::Read | Access::Write) =>
        {
            Ok(None)
        }
        Err(source) => Err(OwnFileError::Io { path: path.to_owned(), source }),
    }
}

/// Whether `path` names the open `file`; a file that is open stays where it is.
pub(crate) fn is_at(_file: &File, path: &Path) -> io::Result<bool> {
    path.try_exists()
}

/// See [`crate::leads_to`]; a file that is open stays where it is.
pub(crate) fn leads_to(path: &Path, _file: &File) -> io::Result<bool> {
    path.try_exists()
}

/// Directories cannot be flushed.
pub(crate) fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Tells a file from those that were in its place before: std has no stable name for its index.
pub(crate) fn file_id(metadata: &Metadata) -> (u64, u64) {
    use std::os::windows::fs::MetadataExt as _;
    (metadata.creation_time(), u64::from(metadata.file_attributes()))
}

/// What the metadata describe.
pub(crate) fn file_kind(metadata: &Metadata) -> FileKind {
    if metadata.is_file() {
        FileKind::File
    } else if metadata.is_dir() {
        FileKind::Directory
    } else if metadata.is_symlink() {
        FileKind::Symlink
    } else {
        FileKind::Other
    }
}

/// Endpoints are not files here, and have no notes beside them.
pub(crate) fn open_note(_: &Path) -> io::Result<(File, Option<usize>)> {
    Err(io::ErrorKind::Unsupported.into())
}

/// See [`open_note`].
pub(crate) fn write_over(_: &File, _: &[u8]) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// See [`InodeStamp::of`]: std tells no time of change.
pub(crate) fn inode_stamp(_: &Metadata) -> Option<InodeStamp> {
    None
}

/// The profile's access list keeps other users out.
pub(crate) fn is_foreign(_: &File) -> io::Result<bool> {
    Ok(false)
}

/// See [`crate::has_other_names`]: std does not tell, and a replaced file keeps its other names.
pub(crate) fn has_other_names(_: &Metadata) -> bool {
    false
}

/// See [`crate::file_clock_ns`].
pub(crate) fn file_clock_ns() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    // Times of this system are up to one clock interrupt behind.
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX) - 20_000_000
}

/// Stamps are not made here, and none is asked about.
pub(crate) fn is_read_only(_: &Path) -> bool {
    true
}

/// Gives a file another name in the place of the file that has it.
///
/// Indexers and virus scanners open files for a moment and let no other process replace them: for up to two seconds
/// this tries again.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(2);
    let mut backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(50));
    loop {
        match fs::rename(from, to) {
            Err(error) if is_in_use(&error, to) && Instant::now() < deadline => {
                thread::sleep(backoff.pause())
            }
            renamed => return renamed,
        }
    }
}

/// Returns true if the error is the one for a file that another process has opened.
fn is_in_use(error: &io::Error, path: &Path) -> bool {
    match raw(error) {
        Some(ERROR_SHARING_VIOLATION) => true,
        // Also the error for a directory, and for a file that is for reading only: they stay as they are.
        Some(ERROR_ACCESS_DENIED) => {
            fs::symlink_metadata(path).is_ok_and(|there| there.is_file() && !there.permissions().readonly())
        }
        _ => false,
    }
}
