//! Checks of directories: owner, mode, links.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use rustix::fs::{Access, Mode, OFlags, access, fchmod, open};

use super::Seen;
use crate::{DirPolicy, DirectoryError, DirectoryState, FileKind};

/// See [`crate::ensure_directory`]. `path` has no trailing separator.
pub(crate) fn ensure_directory(path: PathBuf, policy: DirPolicy) -> Result<(), DirectoryError> {
    let failed = |source| DirectoryError::Io { path: path.clone(), source };
    if is_the_systems_own(&path) {
        return Ok(());
    }
    let seen = match Seen::at(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create(&path).map_err(failed)?;
            Seen::at(&path).map_err(failed)?
        }
        found => found.map_err(failed)?,
    };
    let mode = judge(&path, &seen)?;
    if policy == DirPolicy::Dedicated && mode & 0o077 != 0 {
        tighten(&path, &seen).map_err(failed)?;
    }
    Ok(())
}

/// See [`crate::check_private_directory`]. `path` has no trailing separator.
pub(crate) fn check_private_directory(path: PathBuf) -> Result<bool, DirectoryError> {
    let seen = match Seen::at(&path) {
        Ok(seen) => seen,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(source) => return Err(DirectoryError::Io { path, source }),
    };
    match judge(&path, &seen)? {
        mode if mode & 0o077 != 0 => Err(DirectoryError::Readable { path, mode }),
        _ => Ok(true),
    }
}

/// See [`crate::inspect_directory`]. `path` has no trailing separator.
pub(crate) fn inspect_directory(path: PathBuf, policy: DirPolicy) -> Result<DirectoryState, DirectoryError> {
    if is_the_systems_own(&path) {
        return Ok(DirectoryState::Safe);
    }
    let seen = match Seen::at(&path) {
        Ok(seen) => seen,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(DirectoryState::Missing),
        Err(source) => return Err(DirectoryError::Io { path, source }),
    };
    let mode = judge(&path, &seen)?;
    Ok(if policy == DirPolicy::Dedicated && mode & 0o077 != 0 {
        DirectoryState::Loose { mode }
    } else {
        DirectoryState::Safe
    })
}

/// Refuses a directory in which every user may rename another user's files.
pub(crate) fn check_above(path: &Path) -> Result<(), DirectoryError> {
    let failed = |source| DirectoryError::Io { path: path.to_owned(), source };
    let real = match fs::canonicalize(if path.as_os_str().is_empty() { Path::new(".") } else { path }) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        real => real.map_err(failed)?,
    };
    let mode = Seen::at(&real).map_err(failed)?.mode();
    let by_everybody = mode & 0o002 != 0 && mode & 0o1000 == 0;
    if by_everybody { Err(DirectoryError::Writable { path: real, mode }) } else { Ok(()) }
}

/// Returns the mode of a directory that is real, ours, and not writable by others.
///
/// Rule: `docs/spec/endpoint.md#directories`.
fn judge(path: &Path, seen: &Seen) -> Result<u32, DirectoryError> {
    let path = || path.to_owned();
    match seen.kind() {
        FileKind::Directory => {}
        FileKind::Symlink => return Err(DirectoryError::Symlink(path())),
        kind => return Err(DirectoryError::NotADirectory { path: path(), kind }),
    }
    if let Some(expected) = seen.foreign_to() {
        return Err(DirectoryError::Foreign { path: path(), owner: seen.uid(), expected });
    }
    let mode = seen.mode();
    if mode & 0o022 != 0 { Err(DirectoryError::Writable { path: path(), mode }) } else { Ok(mode) }
}

/// See [`crate::is_writable`].
pub(crate) fn is_writable(path: &Path) -> bool {
    access(path, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

/// Returns true for `/tmp` itself, in which compacted endpoint names are.
///
/// It belongs to root and is sticky, so that no user can remove another user's files there.
fn is_the_systems_own(path: &Path) -> bool {
    // On macOS `/tmp` is a link into `/private`, which only root can change.
    [Path::new("/tmp"), Path::new("/private/tmp")].contains(&path)
        && fs::canonicalize(path).and_then(|path| Seen::at(&path)).is_ok_and(|seen| is_shared_by_all(&seen))
}

fn is_shared_by_all(seen: &Seen) -> bool {
    seen.kind() == FileKind::Directory && seen.uid() == 0 && seen.mode() & 0o1000 != 0
}

fn create(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        // Another process was faster; the caller examines its directory like any other.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        done => done,
    }
}

/// Sets the mode of exactly the directory that was examined.
fn tighten(path: &Path, seen: &Seen) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = open(path, flags, Mode::empty())?;
    if !Seen::of(&directory)?.is_same_file(seen) {
        return Err(io::Error::other("the directory was replaced while it was examined"));
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
        assert!(!is_shared_by_all(&Seen::at(Path::new("/")).expect("there is a root")));
        assert_eq!(
            is_the_systems_own(Path::new("/tmp")),
            Seen::at(&fs::canonicalize("/tmp").expect("there is a /tmp"))
                .is_ok_and(|seen| is_shared_by_all(&seen))
        );
    }
}
