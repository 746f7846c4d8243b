//! Directories: owner, mode, links.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
};

use rustix::fs::{Access, Mode, OFlags, access, fchmod, open};

use super::{file_kind, our_uid};
use crate::{DirPolicy, DirectoryError, DirectoryState};

/// See [`crate::ensure_directory`]. `path` has no trailing separator.
pub(crate) fn ensure_directory(path: PathBuf, policy: DirPolicy) -> Result<(), DirectoryError> {
    let failed = |source| DirectoryError::Io { path: path.clone(), source };
    if is_the_systems_own(&path) {
        return Ok(());
    }
    let metadata = match fs::symlink_metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create(&path).map_err(failed)?;
            fs::symlink_metadata(&path).map_err(failed)?
        }
        found => found.map_err(failed)?,
    };
    let mode = judge(&path, &metadata)?;
    if policy == DirPolicy::Dedicated && mode & 0o077 != 0 {
        tighten(&path, &metadata).map_err(failed)?;
    }
    Ok(())
}

/// See [`crate::check_private_directory`]. `path` has no trailing separator.
pub(crate) fn check_private_directory(path: PathBuf) -> Result<bool, DirectoryError> {
    let metadata = match fs::symlink_metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(source) => return Err(DirectoryError::Io { path, source }),
    };
    match judge(&path, &metadata)? {
        mode if mode & 0o077 != 0 => Err(DirectoryError::Readable { path, mode }),
        _ => Ok(true),
    }
}

/// See [`crate::inspect_directory`]. `path` has no trailing separator.
pub(crate) fn inspect_directory(path: PathBuf, policy: DirPolicy) -> Result<DirectoryState, DirectoryError> {
    if is_the_systems_own(&path) {
        return Ok(DirectoryState::Safe);
    }
    let metadata = match fs::symlink_metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(DirectoryState::Missing),
        Err(source) => return Err(DirectoryError::Io { path, source }),
    };
    let mode = judge(&path, &metadata)?;
    Ok(if policy == DirPolicy::Dedicated && mode & 0o077 != 0 {
        DirectoryState::Loose { mode }
    } else {
        DirectoryState::Safe
    })
}

/// Returns the mode of a directory that is real, ours, and not writable by others.
fn judge(path: &Path, metadata: &fs::Metadata) -> Result<u32, DirectoryError> {
    let path = || path.to_owned();
    if metadata.is_symlink() {
        return Err(DirectoryError::Symlink(path()));
    }
    if !metadata.is_dir() {
        return Err(DirectoryError::NotADirectory { path: path(), kind: file_kind(metadata) });
    }
    if let Some(expected) = our_uid().filter(|uid| *uid != metadata.uid()) {
        return Err(DirectoryError::Foreign { path: path(), owner: metadata.uid(), expected });
    }
    let mode = metadata.mode() & 0o7777;
    if mode & 0o022 != 0 { Err(DirectoryError::Writable { path: path(), mode }) } else { Ok(mode) }
}

/// See [`crate::is_writable`].
pub(crate) fn is_writable(path: &Path) -> bool {
    access(path, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

/// The permission bits of a file of ours, or the owner of another user's.
pub(crate) fn file_of_ours(metadata: &fs::Metadata) -> Result<u32, u32> {
    match our_uid() {
        Some(uid) if uid != metadata.uid() => Err(metadata.uid()),
        _ => Ok(metadata.mode() & 0o7777),
    }
}

/// `/tmp` itself, where compacted endpoint names are: root's, and nobody can remove another's files there.
fn is_the_systems_own(path: &Path) -> bool {
    // On macOS `/tmp` is a link into `/private`, which only root can change.
    [Path::new("/tmp"), Path::new("/private/tmp")].contains(&path)
        && fs::metadata(path).is_ok_and(|metadata| is_shared_by_all(&metadata))
}

fn is_shared_by_all(metadata: &fs::Metadata) -> bool {
    metadata.is_dir() && metadata.uid() == 0 && metadata.mode() & 0o1000 != 0
}

fn create(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        // Somebody else was faster; what they made is looked at like any other.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        done => done,
    }
}

/// Sets the mode of the very directory that was looked at.
fn tighten(path: &Path, seen: &fs::Metadata) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = fs::File::from(open(path, flags, Mode::empty())?);
    let opened = directory.metadata()?;
    if (opened.dev(), opened.ino()) != (seen.dev(), seen.ino()) {
        return Err(io::Error::other("the directory was replaced while it was looked at"));
    }
    Ok(fchmod(&directory, Mode::RWXU)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sticky_directory_of_root_is_shared_by_all() {
        assert!(!is_the_systems_own(Path::new("/var/tmp")));
        assert!(!is_the_systems_own(Path::new("/tmp/..")));
        assert!(!is_shared_by_all(&fs::metadata("/").expect("there is a root")));
        assert_eq!(
            is_the_systems_own(Path::new("/tmp")),
            is_shared_by_all(&fs::metadata("/tmp").expect("there is a /tmp"))
        );
    }
}
