//! A few words that short-lived clients leave for each other beside an endpoint.

use std::ffi::OsString;
use std::fmt;
use std::io::Read as _;
use std::path::PathBuf;

use crate::atomic_file::write_hint;
use crate::{Endpoint, WriteError, os};

/// The longest note that is read, in bytes.
const LONGEST: usize = 1024;

/// Which of the sockets that are, or were, at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SocketStamp {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    /// Seconds and nanoseconds.
    pub(crate) changed: (i64, i64),
}

impl fmt::Display for SocketStamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { device, inode, changed: (seconds, nanos) } = self;
        write!(f, "{device}:{inode}:{seconds}.{nanos:09}")
    }
}

/// Returns what tells the socket at the endpoint's path from every other that is or was there.
///
/// `None` where there is none, or where endpoints are not files.
#[must_use]
pub fn socket_stamp(endpoint: &Endpoint) -> Option<SocketStamp> {
    os::socket_stamp(endpoint)
}

/// Reads the note `name` beside `endpoint`.
///
/// `None` for one that is missing, too long, not text, not a plain file, or somebody else's.
#[must_use]
pub fn read_note(endpoint: &Endpoint, name: &str) -> Option<String> {
    let mut file = os::open_lock(&path(endpoint, name)?, os::Create::No).ok()??;
    let mut bytes = [0; LONGEST + 1];
    // One read brings a plain file of this length. A part of one is told from a whole one by whoever reads it.
    let read = file.read(&mut bytes).ok().filter(|read| *read <= LONGEST)?;
    Some(str::from_utf8(&bytes[..read]).ok()?.to_owned())
}

/// Writes the note `name` beside `endpoint`, for this user alone. Where endpoints are not files, nothing
/// is written. It need not survive a crash of the machine, and a reader may find a part of the old one in
/// it: he must tell what is no note, and survive one that is not true.
///
/// # Errors
///
/// [`WriteError`]; an old note is as it was.
pub fn write_note(endpoint: &Endpoint, name: &str, text: &str) -> Result<(), WriteError> {
    match path(endpoint, name) {
        // A new file takes the file system thirty times as long as new contents of the same length.
        Some(path) => match os::overwrite(&path, text.as_bytes()) {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => write_hint(&path, text.as_bytes(), 0o600),
        },
        None => Ok(()),
    }
}

fn path(endpoint: &Endpoint, name: &str) -> Option<PathBuf> {
    let socket = os::socket_path(endpoint)?.as_os_str();
    let mut path = OsString::with_capacity(socket.len() + 1 + name.len());
    path.push(socket);
    path.push(".");
    path.push(name);
    Some(PathBuf::from(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_that_cannot_be_trusted_is_not_there() {
        let dir = tempfile::tempdir().expect("a directory");
        let endpoint = Endpoint::new(dir.path().join("s").to_str().expect("UTF-8"));
        if os::socket_path(&endpoint).is_none() {
            return;
        }
        assert_eq!(read_note(&endpoint, "wire"), None);
        write_note(&endpoint, "wire", "hello\n").expect("written");
        assert_eq!(read_note(&endpoint, "wire").as_deref(), Some("hello\n"));
        write_note(&endpoint, "wire", "there\n").expect("overwritten");
        assert_eq!(read_note(&endpoint, "wire").as_deref(), Some("there\n"));
        write_note(&endpoint, "wire", &"x".repeat(2000)).expect("written");
        assert_eq!(read_note(&endpoint, "wire"), None, "too long");
        std::fs::write(dir.path().join("s.wire"), [0xff, 0xfe]).expect("written");
        assert_eq!(read_note(&endpoint, "wire"), None, "not text");
        std::fs::remove_file(dir.path().join("s.wire")).expect("removed");
        std::fs::create_dir(dir.path().join("s.wire")).expect("made");
        assert_eq!(read_note(&endpoint, "wire"), None, "a directory");
        assert!(write_note(&endpoint, "wire", "x").is_err());
        assert_eq!(socket_stamp(&endpoint), None);
    }
}
