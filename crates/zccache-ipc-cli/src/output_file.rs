//! A file that is seen whole or not at all, of any length.

use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use zccache_ipc::endpoint::{Durability, FileMode, replace_file};

/// Replaces the file at `path` by one that holds everything that `contents` has, and returns its length.
///
/// It gets the permissions that a new file of this user gets, because it is the caller's own. Of a link the
/// file that it names is replaced. A pipe, a device, or a descriptor such as `/dev/fd/5` is written to.
///
/// # Errors
///
/// What the system said; a file at `path` is then as it was.
pub(crate) fn write(path: &Path, contents: &mut dyn Read) -> io::Result<u64> {
    if descriptor(path).is_some() {
        return io::copy(contents, &mut OpenOptions::new().write(true).truncate(true).open(path)?);
    }
    match fs::metadata(path) {
        // A rename would put a file in the place of a device, for everybody.
        Ok(there) if !there.is_file() => io::copy(contents, &mut OpenOptions::new().write(true).open(path)?),
        Ok(_) => replace(&fs::canonicalize(path)?, contents),
        // A link that leads nowhere stays a link: the file that it names is made.
        Err(_) if path.is_symlink() => {
            io::copy(contents, &mut OpenOptions::new().write(true).create(true).truncate(true).open(path)?)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => replace(path, contents),
        Err(error) => Err(error),
    }
}

/// Returns true if `path` is the standard output: `-`, `/dev/stdout` and its other names.
pub(crate) fn is_stdout(path: &Path) -> bool {
    path == Path::new("-") || descriptor(path) == Some(1)
}

/// Returns the descriptor of this process that `path` names, such as 1 for `/dev/stdout`.
///
/// The file behind a descriptor may be a regular file that its opener writes on: it must not be replaced.
fn descriptor(path: &Path) -> Option<u32> {
    const LINKS: usize = 8;
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let directory = path.parent().and_then(|directory| fs::canonicalize(directory).ok())?;
        let own = ["/proc/self/fd", "/dev/fd"].iter().any(|own| {
            directory == Path::new(own) || fs::canonicalize(own).is_ok_and(|own| own == directory)
        });
        if own {
            return path.file_name()?.to_str()?.parse().ok();
        }
        path = directory.join(fs::read_link(&path).ok()?);
    }
    None
}

fn replace(path: &Path, contents: &mut dyn Read) -> io::Result<u64> {
    replace_file(path, contents, &FileMode::New, Durability::Flushed)
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

    #[test]
    fn a_name_as_long_as_a_name_can_be_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("n".repeat(255));
        assert_eq!(write(&path, &mut &b"one"[..]).unwrap(), 3);
        assert_eq!(fs::read(&path).unwrap(), b"one");
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_written_to_and_a_link_stays_a_link() {
        use std::os::unix::{fs::FileTypeExt as _, fs::symlink};

        let dir = tempfile::tempdir().unwrap();
        let (file, link, pipe) = (dir.path().join("f"), dir.path().join("l"), dir.path().join("p"));
        fs::write(&file, "before").unwrap();
        symlink("f", &link).unwrap();
        assert_eq!(write(&link, &mut &b"after"[..]).unwrap(), 5);
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"after");

        let (nowhere, made) = (dir.path().join("n"), dir.path().join("made"));
        symlink("made", &nowhere).unwrap();
        assert_eq!(write(&nowhere, &mut &b"new"[..]).unwrap(), 3);
        assert!(nowhere.symlink_metadata().unwrap().is_symlink());
        assert_eq!(fs::read(&made).unwrap(), b"new");

        assert!(std::process::Command::new("/usr/bin/mkfifo").arg(&pipe).status().unwrap().success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read(pipe)
        });
        assert_eq!(write(&pipe, &mut &b"through"[..]).unwrap(), 7);
        assert_eq!(reader.join().unwrap().unwrap(), b"through");
        assert!(pipe.symlink_metadata().unwrap().file_type().is_fifo());
    }
}
