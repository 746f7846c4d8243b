//! Opens files without following links or waiting for writers.

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

use super::Seen;
use crate::{Access, FileKind, Found, InodeStamp, OwnFileError};

const READ: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

const READ_AND_WRITE: OFlags =
    OFlags::RDWR.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

const APPEND: OFlags =
    OFlags::WRONLY.union(OFlags::APPEND).union(OFlags::CREATE).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// Opens for appending, or creates the file; a regular file must be this user's and have no other name.
///
/// Follows a link of this user or of root, such as `/dev/stderr`, and no other one.
pub(crate) fn open_to_append(path: &Path) -> io::Result<File> {
    let refused = |why: &str| Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::WGRP | Mode::ROTH | Mode::WOTH;
    let file = match open(path, APPEND | OFlags::NOFOLLOW, mode) {
        Err(Errno::LOOP) => {
            let link = Seen::at(path)?;
            if link.foreign_to().is_some() && link.uid() != 0 {
                return refused("the link belongs to another user");
            }
            File::from(open(path, APPEND, mode)?)
        }
        opened => File::from(opened?),
    };
    let seen = Seen::of(&file)?;
    if seen.kind() != FileKind::File {
        return Ok(file);
    }
    if seen.foreign_to().is_some() {
        return refused("the file belongs to another user");
    }
    if seen.is_linked_elsewhere() { refused("the file has another name too") } else { Ok(file) }
}

/// Creates a file with exactly `mode`; an existing file is an error.
///
/// Without `mode` the umask decides, as for any new file.
pub(crate) fn create_new(path: &Path, mode: Option<u32>) -> io::Result<File> {
    let raw = |mode: u32| Mode::from_raw_mode(mode as rustix::fs::RawMode & 0o7777);
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = open(path, flags, raw(mode.unwrap_or(0o666)))?;
    if let Some(mode) = mode {
        // The umask may have removed bits.
        fchmod(&file, raw(mode))?;
    }
    Ok(file.into())
}

/// Opens a note, also for writing if possible.
///
/// The length is `Some` if the caller may overwrite the note with contents of the same length.
pub(crate) fn open_note(path: &Path) -> io::Result<(File, Option<usize>)> {
    let (opened, writable) = match open_own(path, Access::Write) {
        Err(OwnFileError::Io { .. }) => (open_own(path, Access::Read), false),
        opened => (opened, true),
    };
    let file = opened.map_err(io::Error::other)?.ok_or(io::ErrorKind::NotFound)?;
    let len = usize::try_from(file.metadata()?.len()).ok().filter(|_| writable);
    Ok((file, len))
}

/// Overwrites the file from its start.
pub(crate) fn write_over(file: &File, bytes: &[u8]) -> io::Result<()> {
    file.write_all_at(bytes, 0)
}

/// See [`crate::link_to`].
pub(crate) fn link_to(link: &Path, target: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

/// See [`crate::open_own`].
pub(crate) fn open_own(path: &Path, access: Access) -> Result<Option<File>, OwnFileError> {
    let failed = |source: io::Error| OwnFileError::Io { path: path.to_owned(), source };
    let flags = match access {
        Access::Read => READ,
        Access::Write => READ_AND_WRITE,
        Access::Create | Access::CreateShared => READ_AND_WRITE.union(OFlags::CREATE),
    };
    let shared = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::WGRP | Mode::ROTH | Mode::WOTH;
    let mode = if access == Access::CreateShared { shared } else { Mode::RUSR | Mode::WUSR };
    let file = match open(path, flags, mode) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) if !flags.contains(OFlags::CREATE) => return Ok(None),
        // The file's type and owner explain more than the errors for links, sockets and other users' files.
        Err(errno) => {
            let seen = Seen::at(path).map_err(|_| failed(errno.into()))?;
            return Err(judge(path, &seen).err().unwrap_or_else(|| failed(errno.into())));
        }
    };
    let seen = Seen::of(&file).map_err(failed)?;
    judge(path, &seen)?;
    if access == Access::Create && seen.mode() != 0o600 {
        // A user who can open a lock can hold it.
        fchmod(&file, Mode::RUSR | Mode::WUSR).map_err(|errno| failed(errno.into()))?;
    }
    Ok(Some(file))
}

fn judge(path: &Path, seen: &Seen) -> Result<(), OwnFileError> {
    let path = || path.to_owned();
    if seen.kind() != FileKind::File {
        return Err(OwnFileError::NotAFile { path: path(), kind: seen.kind() });
    }
    if let Some(expected) = seen.foreign_to() {
        return Err(OwnFileError::Foreign { path: path(), owner: seen.uid(), expected });
    }
    if seen.is_linked_elsewhere() { Err(OwnFileError::Linked(path())) } else { Ok(()) }
}

/// Returns true if both are the same file.
pub(crate) fn are_same(one: &File, other: &File) -> io::Result<bool> {
    Ok(Seen::of(one)?.is_same_file(&Seen::of(other)?))
}

/// See [`crate::look_at`].
pub(crate) fn look_at(path: &Path) -> io::Result<Found> {
    let seen = Seen::at(path)?;
    let foreign_owner = seen.foreign_to().map(|_| seen.uid());
    let mode = foreign_owner.is_none().then(|| seen.mode());
    Ok(Found { kind: seen.kind(), length: seen.len(), foreign_owner, mode })
}

/// Returns true if `path` names the open `file`.
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
        // Some network and shared file systems cannot flush a directory; there is nothing to wait for then.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Ok(())
        }
        done => done,
    }
}

/// Returns an id that no other existing file has.
pub(crate) fn file_id(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Returns the kind of the file that the metadata describe.
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

/// See [`InodeStamp::of`].
pub(crate) fn inode_stamp(metadata: &Metadata) -> Option<InodeStamp> {
    let ns = |seconds: i64, fraction: i64| seconds.checked_mul(1_000_000_000)?.checked_add(fraction);
    Some(InodeStamp {
        device: metadata.dev(),
        inode: metadata.ino(),
        len: metadata.len(),
        modified_ns: ns(metadata.mtime(), metadata.mtime_nsec())?,
        changed_ns: ns(metadata.ctime(), metadata.ctime_nsec())?,
    })
}

/// See [`InodeStamp::at`].
pub(crate) fn inode_stamp_at(path: &Path) -> Option<InodeStamp> {
    fs::metadata(path).ok().as_ref().and_then(inode_stamp)
}

/// See [`crate::mode_of`].
pub(crate) fn mode_of(metadata: &Metadata) -> u16 {
    (metadata.mode() & 0o7777) as u16
}

/// See [`crate::has_other_names`].
pub(crate) fn has_other_names(metadata: &Metadata) -> bool {
    metadata.nlink() > 1
}

/// See [`crate::is_null_device`].
pub(crate) fn is_null_device(metadata: &Metadata) -> bool {
    metadata.file_type().is_char_device()
        && fs::metadata("/dev/null").is_ok_and(|null| null.rdev() == metadata.rdev())
}

/// See [`crate::has_own_owner`].
pub(crate) fn has_own_owner(metadata: &Metadata) -> bool {
    metadata.uid() == rustix::process::geteuid().as_raw()
        && metadata.gid() == rustix::process::getegid().as_raw()
}

/// Returns true if the file system at `path` is mounted read-only.
pub(crate) fn is_read_only(path: &Path) -> bool {
    rustix::fs::statvfs(path).is_ok_and(|fs| fs.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY))
}

/// See [`crate::largest_file`].
pub(crate) fn largest_file() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Fsize).current
}

/// Renames a file, and replaces a file that has the new name.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}
