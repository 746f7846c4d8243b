//! Files and directories. Who may use them follows from the profile that they are in.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io,
    os::windows::{fs::OpenOptionsExt, io::AsRawHandle},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use windows_sys::Win32::{
    Foundation::{ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION},
    Storage::FileSystem::{
        BY_HANDLE_FILE_INFORMATION, FILE_BASIC_INFO, FILE_FLAG_BACKUP_SEMANTICS,
        FILE_FLAG_OPEN_REPARSE_POINT, FILE_READ_ATTRIBUTES, FileBasicInfo, GetFileInformationByHandle,
        GetFileInformationByHandleEx,
    },
};

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

/// Accepts every directory: the profile's access list keeps other users out.
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

/// See [`crate::is_writable`]. Access lists decide about writing, and only an attempt evaluates them.
pub(crate) fn is_writable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

/// Returns true if both handles lead to one file.
pub(crate) fn are_same(one: &File, other: &File) -> io::Result<bool> {
    let ((one, here), (other, there)) = (number_of(one)?, number_of(other)?);
    Ok(one == other && (here == there || here == 0 || there == 0))
}

/// See [`crate::look_at`]. There are no permission bits, and owners have no numbers.
pub(crate) fn look_at(path: &Path) -> io::Result<Found> {
    let metadata = fs::symlink_metadata(path)?;
    Ok(Found { kind: file_kind(&metadata), length: metadata.len(), foreign_owner: None, mode: None })
}

/// Opens for appending, or creates the file.
///
/// The profile's access list keeps other users out.
pub(crate) fn open_to_append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// Creates a file; an existing file is an error.
pub(crate) fn create_new(path: &Path, _mode: Option<u32>) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).open(path)
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

/// See [`crate::is_at`].
pub(crate) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    is_named(file, path, FILE_FLAG_OPEN_REPARSE_POINT)
}

/// See [`crate::leads_to`].
pub(crate) fn leads_to(path: &Path, file: &File) -> io::Result<bool> {
    is_named(file, path, 0)
}

/// Returns true if `path`, opened with `flags`, leads to the open `file`.
fn is_named(file: &File, path: &Path, flags: u32) -> io::Result<bool> {
    let mut look = OpenOptions::new();
    // This right conflicts with no share mode, so a file that another process locks can be examined.
    look.access_mode(FILE_READ_ATTRIBUTES).custom_flags(FILE_FLAG_BACKUP_SEMANTICS | flags);
    match look.open(path) {
        Ok(named) => are_same(file, &named),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Returns the number of a file on its volume, which no other file has as long as `file` is open, and the volume.
///
/// Wine does not know the volume of a file that was renamed, and returns 0.
fn number_of(file: &File) -> io::Result<((u32, u32), u32)> {
    let mut seen = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the handle is open as long as `file` lives, and the result is a live local.
    match unsafe { GetFileInformationByHandle(file.as_raw_handle(), &raw mut seen) } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(((seen.nFileIndexHigh, seen.nFileIndexLow), seen.dwVolumeSerialNumber)),
    }
}

/// Does nothing: the system cannot flush a directory.
pub(crate) fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Returns an id that differs from earlier files at the path; std has no stable API for the file index.
pub(crate) fn file_id(metadata: &Metadata) -> (u64, u64) {
    use std::os::windows::fs::MetadataExt as _;
    (metadata.creation_time(), u64::from(metadata.file_attributes()))
}

/// Returns the kind of the file that the metadata describe.
fn file_kind(metadata: &Metadata) -> FileKind {
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

/// Always an error: endpoints are not files here, so no note can be beside them.
pub(crate) fn open_note(_: &Path) -> io::Result<(File, Option<usize>)> {
    Err(io::ErrorKind::Unsupported.into())
}

/// See [`open_note`].
pub(crate) fn write_over(_: &File, _: &[u8]) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// See [`InodeStamp::of`]; std has no change time.
pub(crate) fn inode_stamp(_: &Metadata) -> Option<InodeStamp> {
    None
}

/// See [`InodeStamp::at`].
pub(crate) fn inode_stamp_at(path: &Path) -> Option<InodeStamp> {
    let file = OpenOptions::new().access_mode(FILE_READ_ATTRIBUTES).open(path).ok()?;
    let ((high, low), volume) = number_of(&file).ok()?;
    let mut times = FILE_BASIC_INFO::default();
    let size = u32::try_from(size_of_val(&times)).expect("it is small");
    // SAFETY: the handle is open as long as `file` lives; the structure is the one of this class, and a live local.
    let is_known = unsafe {
        GetFileInformationByHandleEx(file.as_raw_handle(), FileBasicInfo, (&raw mut times).cast(), size)
    };
    // FAT has no change time.
    if is_known == 0 || times.ChangeTime == 0 {
        return None;
    }
    Some(InodeStamp {
        device: volume.into(),
        inode: u64::from(high) << 32 | u64::from(low),
        len: file.metadata().ok()?.len(),
        modified_ns: since_1970(times.LastWriteTime)?,
        changed_ns: since_1970(times.ChangeTime)?,
    })
}

/// Returns nanoseconds since 1970 for a time of the system, which counts steps of 100 ns since 1601.
fn since_1970(steps: i64) -> Option<i64> {
    steps.checked_sub(116_444_736_000_000_000)?.checked_mul(100)
}

/// See [`crate::mode_of`].
pub(crate) fn mode_of(_: &Metadata) -> u16 {
    0o644
}

/// See [`crate::is_null_device`].
pub(crate) fn is_null_device(_: &Metadata) -> bool {
    false
}

/// See [`crate::has_own_owner`].
pub(crate) fn has_own_owner(_: &Metadata) -> bool {
    true
}

/// See [`crate::has_other_names`]. std has no link count, and a replaced file keeps its other names.
pub(crate) fn has_other_names(_: &Metadata) -> bool {
    false
}

/// See [`crate::file_clock_ns`].
pub(crate) fn file_clock_ns() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    // Times of this system are up to one clock interrupt behind.
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX) - 20_000_000
}

/// See [`crate::nameless_file`]; this system has no path for such a file.
pub(crate) const fn nameless_file() -> Option<(File, PathBuf)> {
    None
}

/// Not needed, because this system has no stamps.
pub(crate) fn is_read_only(_: &Path) -> bool {
    true
}

/// See [`crate::largest_file`].
pub(crate) const fn largest_file() -> Option<u64> {
    None
}

/// Renames a file, and replaces a file that has the new name.
///
/// Retries for up to two seconds, because indexers and virus scanners open a file for a moment and let no other
/// process replace it.
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
        // A directory and a read-only file give this error too; both stay unchanged.
        Some(ERROR_ACCESS_DENIED) => {
            fs::symlink_metadata(path).is_ok_and(|there| there.is_file() && !there.permissions().readonly())
        }
        _ => false,
    }
}
