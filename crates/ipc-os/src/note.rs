//! Short texts that short-lived clients leave for each other beside an endpoint.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::atomic_file::write_hint;
use crate::{DirectoryError, Endpoint, WriteError, check_private_directory, os};

/// The longest note that is read, in bytes.
const LONGEST: usize = 1024;

/// The identity of a socket among all sockets that were ever at its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SocketStamp {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    /// Change time in seconds and nanoseconds.
    pub(crate) changed: (i64, i64),
}

impl SocketStamp {
    /// Returns true if both stamps are of one file or of one that replaced it in place.
    #[must_use]
    pub const fn is_same_file(&self, other: &Self) -> bool {
        self.device == other.device && self.inode == other.inode
    }
}

impl fmt::Display for SocketStamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { device, inode, changed: (seconds, nanos) } = self;
        write!(f, "{device}:{inode}:{seconds}.{nanos:09}")
    }
}

/// Returns the stamp of the socket at the endpoint's path.
///
/// `None` if there is no socket, or if endpoints are not files.
#[must_use]
pub fn socket_stamp(endpoint: &Endpoint) -> Option<SocketStamp> {
    os::socket_stamp(endpoint)
}

/// An existing note, open.
#[derive(Debug)]
pub struct Note {
    file: File,
    text: String,
    /// The note's length, if this process may overwrite it.
    len: Option<usize>,
}

impl Note {
    /// Opens and reads the note `name` beside `endpoint`.
    ///
    /// Returns `None` for a note that is missing, too long, not text, not a regular file, or of another user.
    #[must_use]
    pub fn open(endpoint: &Endpoint, name: &str) -> Option<Self> {
        let (mut file, len) = os::open_note(&path(endpoint, name)?).ok()?;
        let mut room = [0; LONGEST + 1];
        // A file returns all its bytes in one read, up to its end.
        let read = file.read(&mut room).ok()?;
        let text = room.get(..read).filter(|text| text.len() <= LONGEST)?;
        let text = std::str::from_utf8(text).ok()?.to_owned();
        Some(Self { file, text, len })
    }

    /// Returns the text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Overwrites the note with `text`; returns false if that is not possible.
    ///
    /// Creating a file takes thirty times as long as overwriting one with the same length. If another process
    /// has replaced the note meanwhile, the new text is lost.
    fn overwrite(&self, text: &str) -> bool {
        self.len == Some(text.len()) && os::write_over(&self.file, text.as_bytes()).is_ok()
    }
}

/// Writes the note `name` beside `endpoint`, readable by this user only.
///
/// `old` is the existing note, if the caller has opened it. Nothing is written where endpoints are not files,
/// and where other users may create files too: in `/tmp`, the note would stay for ever. The note may be lost in
/// a crash of the machine, and a reader may find a part of the old note in it: a reader must detect an invalid
/// note, and must survive a wrong one.
///
/// # Errors
///
/// [`WriteError`]; an old note is unchanged then.
pub fn write_note(endpoint: &Endpoint, name: &str, old: Option<Note>, text: &str) -> Result<(), WriteError> {
    if old.or_else(|| Note::open(endpoint, name)).is_some_and(|old| old.overwrite(text)) {
        return Ok(());
    }
    match path(endpoint, name) {
        Some(path) if is_ours_alone(&path) => write_hint(&path, text.as_bytes(), 0o600),
        Some(_) | None => Ok(()),
    }
}

/// Returns true if only this user may create files in the directory of `note`.
fn is_ours_alone(note: &Path) -> bool {
    let checked = note.parent().map(check_private_directory);
    matches!(checked, Some(Ok(true) | Err(DirectoryError::Readable { .. })))
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

    #[cfg(unix)]
    #[test]
    fn no_note_is_left_where_others_may_create_files_too() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().expect("a directory");
        let endpoint = Endpoint::new(dir.path().join("s").to_str().expect("UTF-8"));
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o1777)).expect("ours");
        write_note(&endpoint, "wire", None, "hello\n").expect("left out");
        assert_eq!(std::fs::read_dir(dir.path()).expect("readable").count(), 0);
    }

    #[test]
    fn a_note_that_cannot_be_trusted_is_not_there() {
        let dir = tempfile::tempdir().expect("a directory");
        let endpoint = Endpoint::new(dir.path().join("s").to_str().expect("UTF-8"));
        if os::socket_path(&endpoint).is_none() {
            return;
        }
        let read_note = |endpoint: &Endpoint, name: &str| Note::open(endpoint, name).map(|note| note.text);
        let write_note = |endpoint: &Endpoint, name: &str, text: &str| write_note(endpoint, name, None, text);
        assert_eq!(read_note(&endpoint, "wire"), None);
        write_note(&endpoint, "wire", "hello\n").expect("written");
        assert_eq!(read_note(&endpoint, "wire").as_deref(), Some("hello\n"));
        write_note(&endpoint, "wire", "there\n").expect("overwritten");
        assert_eq!(read_note(&endpoint, "wire").as_deref(), Some("there\n"));
        let old = Note::open(&endpoint, "wire");
        super::write_note(&endpoint, "wire", old, "again\n").expect("overwritten");
        assert_eq!(read_note(&endpoint, "wire").as_deref(), Some("again\n"));
        let old = Note::open(&endpoint, "wire");
        super::write_note(&endpoint, "wire", old, "longer than it was\n").expect("written anew");
        assert_eq!(read_note(&endpoint, "wire").as_deref(), Some("longer than it was\n"));
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
