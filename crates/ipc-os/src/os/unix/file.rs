//! Files that are opened without following links or waiting for writers.

use std::{
    fs::{self, File, Metadata},
    io,
    os::unix::fs::{FileExt, FileTypeExt, MetadataExt},
    path::Path,
};

use rustix::{
    fs::{Mode, OFlags, fchmod, open},
    io::Errno,
};

use super::our_uid;
use crate::{FileKind, LifetimeError, os::Create};

const READ: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// Opens for reading. The caller looks at what it got: it may be a fifo, which was not waited for.
pub(crate) fn open_for_reading(path: &Path) -> io::Result<File> {
    Ok(open(path, READ, Mode::empty())?.into())
}

/// Creates a file of exactly `mode` where nothing is.
pub(crate) fn create_new(path: &Path, mode: u32) -> io::Result<File> {
    let mode = Mode::from_raw_mode(mode as rustix::fs::RawMode & 0o7777);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = open(path, flags, mode)?;
    // The umask may have taken bits away.
    fchmod(&file, mode)?;
    Ok(file.into())
}

/// Opens a file of ours, also to write to where that is possible, and tells its length where its contents may be
/// replaced by others of that length.
pub(crate) fn open_note(path: &Path) -> io::Result<(File, Option<usize>)> {
    let both = READ.difference(OFlags::RDONLY).union(OFlags::RDWR);
    let (file, writable) = match open(path, both, Mode::empty()) {
        Ok(file) => (File::from(file), true),
        Err(Errno::ACCESS | Errno::ROFS) => (open(path, READ, Mode::empty())?.into(), false),
        Err(errno) => return Err(errno.into()),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() || foreign(path, &metadata).is_some() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let len = usize::try_from(metadata.len()).ok().filter(|_| writable && metadata.nlink() == 1);
    Ok((file, len))
}

/// Writes over what the file begins with.
pub(crate) fn write_over(file: &File, bytes: &[u8]) -> io::Result<()> {
    file.write_all_at(bytes, 0)
}

/// Opens the lifetime lock at `path`: a regular file of ours, for its owner only. `None` if there is none.
pub(crate) fn open_lock(path: &Path, create: Create) -> Result<Option<File>, LifetimeError> {
    let failed = |source: io::Error| LifetimeError::Io { path: path.to_owned(), source };
    let wrong =
        |metadata: &Metadata| LifetimeError::NotAFile { path: path.to_owned(), kind: file_kind(metadata) };
    let flags = match create {
        Create::No => READ,
        Create::Yes => OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC,
    };
    let file = match open(path, flags, Mode::RUSR | Mode::WUSR) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) if create == Create::No => return Ok(None),
        Err(errno) => {
            return match fs::symlink_metadata(path) {
                Ok(metadata) if !metadata.is_file() => Err(wrong(&metadata)),
                Ok(metadata) => Err(foreign(path, &metadata).unwrap_or_else(|| failed(errno.into()))),
                Err(_) => Err(failed(errno.into())),
            };
        }
    };
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(wrong(&metadata));
    }
    if let Some(error) = foreign(path, &metadata) {
        return Err(error);
    }
    if create == Create::Yes && metadata.mode() & 0o7777 != 0o600 {
        // Whoever can open a lock can hold it.
        fchmod(&file, Mode::RUSR | Mode::WUSR).map_err(|errno| failed(errno.into()))?;
    }
    Ok(Some(file))
}

/// Whether `path` names the open `file`.
pub(crate) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let open = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(named) => Ok((named.dev(), named.ino()) == (open.dev(), open.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// See [`crate::leads_to`].
pub(crate) fn leads_to(path: &Path, file: &File) -> io::Result<bool> {
    let open = file.metadata()?;
    match fs::metadata(path) {
        Ok(named) => Ok(file_id(&named) == file_id(&open)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Makes a rename in `directory` survive a power failure.
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    match File::open(directory)?.sync_all() {
        // Some network and shared file systems cannot, and then there is nothing to wait for.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Ok(())
        }
        done => done,
    }
}

/// Tells a file from all others that are there at the same time.
pub(crate) fn file_id(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// What the metadata describe.
pub(crate) fn file_kind(metadata: &Metadata) -> FileKind {
    let kind = metadata.file_type();
    if kind.is_file() {
        FileKind::File
    } else if kind.is_dir() {
        FileKind::Directory
    } else if kind.is_symlink() {
        FileKind::Symlink
    } else if kind.is_fifo() {
        FileKind::Fifo
    } else if kind.is_socket() {
        FileKind::Socket
    } else if kind.is_block_device() || kind.is_char_device() {
        FileKind::Device
    } else {
        FileKind::Other
    }
}

fn foreign(path: &Path, metadata: &Metadata) -> Option<LifetimeError> {
    let expected = our_uid().filter(|uid| *uid != metadata.uid())?;
    Some(LifetimeError::Foreign { path: path.to_owned(), owner: metadata.uid(), expected })
}
