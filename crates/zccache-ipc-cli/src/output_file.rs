//! A file that is seen whole or not at all, of any length.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Replaces the file at `path` by one that holds everything that `contents` has, and returns its length.
///
/// It gets the permissions that a new file of this user gets, because it is the caller's own.
///
/// # Errors
///
/// What the system said; `path` is then as it was.
pub(crate) fn write(path: &Path, contents: &mut dyn Read) -> io::Result<u64> {
    let (temporary, mut file) = Temporary::beside(path)?;
    let length = io::copy(contents, &mut file)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&temporary.0, path)?;
    temporary.has_its_name();
    Ok(length)
}

/// A file on its way to another name, removed when it does not get there.
struct Temporary(PathBuf);

impl Temporary {
    fn beside(path: &Path) -> io::Result<(Self, File)> {
        const NAMES: u32 = 100;
        let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
        for number in 0..NAMES {
            let mut own = OsString::from(".");
            own.push(name);
            own.push(format!(".{}-{number}.tmp", std::process::id()));
            let own = path.with_file_name(own);
            match OpenOptions::new().write(true).create_new(true).open(&own) {
                Ok(file) => return Ok((Self(own), file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// There is nothing left to remove.
    fn has_its_name(mut self) {
        self.0.clear();
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            // A name that stays is harmless and says what it is.
            let _ = fs::remove_file(&self.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_or_kept() {
        struct Fails;
        impl Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::InvalidData.into())
            }
        }

        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        assert_eq!(write(&path, &mut &b"one"[..]).unwrap(), 3);
        assert_eq!(write(&path, &mut &b"other"[..]).unwrap(), 5);
        assert!(write(&path, &mut b"half".chain(Fails)).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"other");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left");
        assert!(write(dir.path(), &mut &b"x"[..]).is_err(), "a directory is not replaced");
    }
}
