//! The lock that a daemon holds as long as it lives; no other proof of a living daemon exists.

use std::{
    ffi::OsString,
    fs::{File, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use thiserror::Error;

use crate::{Access, Endpoint, FileKind, OwnFileError, Pid, lock_file, open_own, os};

/// A lifetime lock cannot be taken or examined.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LifetimeError {
    /// A file that is not a regular file is at the lock's path.
    #[error("{} is {kind}, not a lock", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// The kind of the file that is there.
        kind: FileKind,
    },
    /// Another user owns the lock.
    #[error("the lock {} belongs to user {owner}, not to user {expected}", path.display())]
    Foreign {
        /// The lock.
        path: PathBuf,
        /// The owner's user id.
        owner: u32,
        /// Our effective user id.
        expected: u32,
    },
    /// The lock is a hard link to a file that also has another name.
    ///
    /// The contents of such a file may not belong to a lock.
    #[error("the lock {} is a hard link to a file that has another name too", .0.display())]
    Linked(PathBuf),
    /// The lock could not be opened or locked.
    #[error("cannot use the lock {}", path.display())]
    Io {
        /// The lock.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

impl From<OwnFileError> for LifetimeError {
    fn from(error: OwnFileError) -> Self {
        match error {
            OwnFileError::NotAFile { path, kind } => Self::NotAFile { path, kind },
            OwnFileError::Foreign { path, owner, expected } => Self::Foreign { path, owner, expected },
            OwnFileError::Linked(path) => Self::Linked(path),
            OwnFileError::Io { path, source } => Self::Io { path, source },
        }
    }
}

/// The state of a lifetime lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// A living process holds the lock. Whether the process answers is not known.
    Held {
        /// The process, if the lock names one that exists.
        by: Option<Pid>,
    },
    /// No process holds the lock, or there is no such lock.
    Free,
}

/// Returns the state of the lifetime lock beside the pid lock file `lock_file`.
///
/// The lock is held as long as the daemon lives.
///
/// Does not wait and creates nothing. Released daemons hold no such lock and count as [`Liveness::Free`].
///
/// # Errors
///
/// [`LifetimeError`] if the file at the lock's path cannot be examined.
pub fn liveness(lock_file: &Path) -> Result<Liveness, LifetimeError> {
    ask(&beside_lock_file(lock_file))
}

/// Returns the state of the lock beside the socket of `endpoint`.
///
/// Any daemon at the endpoint holds it, whatever its cache directory. Does not wait and creates nothing.
/// `None` on Windows, where the pipe itself is exclusive, and a connection attempt shows whether it is held.
///
/// # Errors
///
/// [`LifetimeError`] if the file at the lock's path cannot be examined.
pub fn endpoint_liveness(endpoint: &Endpoint) -> Result<Option<Liveness>, LifetimeError> {
    os::socket_path(endpoint).map(|socket| ask(&beside_socket(socket))).transpose()
}

/// Returns whether a daemon holds the lifetime lock of `endpoint`.
///
/// The lock is the one beside the socket, and on Windows the one beside the pid lock file `lock_file`. The function
/// does not wait and creates nothing.
///
/// # Errors
///
/// [`LifetimeError`] if the file at the lock's path cannot be examined.
pub fn daemon_liveness(endpoint: &Endpoint, lock_file: &Path) -> Result<Liveness, LifetimeError> {
    ask(&of_endpoint(endpoint, lock_file))
}

/// Returns the path of the lifetime lock of `endpoint`.
pub(crate) fn of_endpoint(endpoint: &Endpoint, lock_file: &Path) -> PathBuf {
    os::socket_path(endpoint).map_or_else(|| beside_lock_file(lock_file), beside_socket)
}

/// Returns the process that has `endpoint`, if the locks name it.
///
/// It is the holder of the lock beside the socket, else the process that the pid lock file at `lock_file`
/// names. The pid lock file alone would name no process, or another one, for a daemon with another cache
/// directory. The result does not mean that the process answers; if the pid lock file named it, the process
/// may not even live. On Windows the process that serves the pipe comes before the pid lock file.
#[must_use]
pub fn holder(endpoint: &Endpoint, lock_file: &Path) -> Option<Pid> {
    match endpoint_liveness(endpoint) {
        // Without a name here, the pid lock file has no name either, or one of another pid namespace.
        Ok(Some(Liveness::Held { by })) => by,
        _ => os::serving_process(endpoint).or_else(|| lock_file::read(lock_file).ok().flatten()),
    }
}

/// Returns the lifetime lock of the pid lock file `lock_file`: `daemon.lock` has `daemon.lifetime`.
pub(crate) fn beside_lock_file(lock_file: &Path) -> PathBuf {
    if lock_file.extension().is_some_and(|extension| extension == "lock") {
        lock_file.with_extension("lifetime")
    } else {
        beside_socket(lock_file)
    }
}

/// Returns the lifetime lock of the socket at `socket`: `daemon.sock` has `daemon.sock.lifetime`.
pub(crate) fn beside_socket(socket: &Path) -> PathBuf {
    let mut name = OsString::from(socket);
    name.push(".lifetime");
    PathBuf::from(name)
}

/// Returns the state of the lifetime lock at `path`.
pub(crate) fn ask(path: &Path) -> Result<Liveness, LifetimeError> {
    let Some(file) = open_own(path, Access::Read)? else { return Ok(Liveness::Free) };
    match os::try_lock_shared(&file) {
        Ok(()) => {
            let_go(&file);
            Ok(Liveness::Free)
        }
        Err(TryLockError::WouldBlock) => Ok(Liveness::Held { by: named_in(path) }),
        Err(TryLockError::Error(source)) => Err(failed(path, source)),
    }
}

/// A held lifetime lock.
///
/// Its file stays after the release; only [`Lifetime::remove`] removes it.
#[derive(Debug)]
pub(crate) struct Lifetime {
    file: File,
    path: PathBuf,
}

/// The result of an attempt to take a lifetime lock.
#[derive(Debug)]
pub(crate) enum Attempt {
    Taken(Lifetime),
    Held { by: Option<Pid> },
}

impl Lifetime {
    /// The time for which processes that only examine the lock may delay the one that takes it.
    const LOCK_TIMEOUT: Duration = Duration::from_millis(500);

    /// The time for which a holder may have no name: it has just won the lock, or is about to free it.
    const UNNAMED: Duration = Duration::from_millis(100);

    /// Takes the lock at `path`, and creates its file if it is missing.
    ///
    /// Rule: `docs/spec/lifecycle.md#lifetime-locks`.
    pub(crate) fn take(path: &Path) -> Result<Attempt, LifetimeError> {
        let started = Instant::now();
        loop {
            let Some(file) = open_own(path, Access::Create)? else {
                return Err(failed(path, io::ErrorKind::NotFound.into()));
            };
            let timeout = match os::try_lock(&file) {
                // A cleaner may have removed the file between open and lock; then the lock protects nothing.
                Ok(()) if os::is_at(&file, path).map_err(|source| failed(path, source))? => {
                    let mut taken = Self { file, path: path.to_owned() };
                    // The lock itself is decisive. On a full disk it has no name, and other processes see a
                    // lock held by an unknown process.
                    let _ = taken.name_holder(Pid::current());
                    return Ok(Attempt::Taken(taken));
                }
                Ok(()) => Self::LOCK_TIMEOUT,
                Err(TryLockError::WouldBlock) => match os::try_lock_shared(&file) {
                    // Another process only examined the lock, with a shared lock that it frees in a moment.
                    Ok(()) => {
                        let_go(&file);
                        Self::LOCK_TIMEOUT
                    }
                    Err(TryLockError::WouldBlock) => match named_in(path) {
                        Some(by) => return Ok(Attempt::Held { by: Some(by) }),
                        None => Self::UNNAMED,
                    },
                    Err(TryLockError::Error(source)) => return Err(failed(path, source)),
                },
                Err(TryLockError::Error(source)) => return Err(failed(path, source)),
            };
            if started.elapsed() >= timeout {
                return Ok(Attempt::Held { by: None });
            }
            thread::sleep(Duration::from_micros(fastrand::u64(200..2_000)));
        }
    }

    /// Returns true if the path still names the locked file.
    pub(crate) fn is_in_place(&self) -> io::Result<bool> {
        os::is_at(&self.file, &self.path)
    }

    /// Takes the lock again if its file was removed; returns false if another process has it.
    pub(crate) fn retake(&mut self) -> Result<bool, LifetimeError> {
        match Self::take(&self.path)? {
            Attempt::Taken(lock) => {
                *self = lock;
                Ok(true)
            }
            Attempt::Held { .. } => Ok(false),
        }
    }

    /// Returns the path of the locked file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns true if `path` names the locked file.
    pub(crate) fn is(&self, path: &Path) -> bool {
        os::is_at(&self.file, path).unwrap_or(false)
    }

    /// Removes the file, if it is still at its path, and frees the lock.
    ///
    /// The holder calls it last: from then on another process can lock a new file of the same name. A process
    /// that waits for the old file compares the path with its file after it has the lock, and so detects the
    /// unlinked inode.
    pub(crate) fn remove(self) -> io::Result<()> {
        match self.is_in_place()? {
            true => os::remove_locked(&self.path.clone(), || drop(self)),
            false => Ok(()),
        }
    }

    fn name_holder(&mut self, pid: Pid) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        let namespace = os::pid_namespace().map(|namespace| format!("\n{namespace}"));
        self.file.write_all(format!("{pid}{}", namespace.unwrap_or_default()).as_bytes())?;
        os::note_time(&self.file)
    }
}

impl Drop for Lifetime {
    fn drop(&mut self) {
        // A name in an unlocked file is ignored, so a leftover does no harm.
        let _ = self.file.set_len(0);
        let_go(&self.file);
    }
}

/// Returns true if the lock at `path` names `pid`, whether or not that process exists.
pub(crate) fn names(path: &Path, pid: Pid) -> bool {
    read_name(path).is_some_and(|text| named_by(&text, os::pid_namespace().as_deref()) == Some(pid))
}

/// Returns the existing process that the lock at `path` names.
fn named_in(path: &Path) -> Option<Pid> {
    named_by(&read_name(path)?, os::pid_namespace().as_deref()).filter(|pid| os::process_alive(*pid))
}

fn read_name(path: &Path) -> Option<String> {
    let file = open_own(path, Access::Read).ok()??;
    let mut text = String::new();
    file.take(LONGEST_NAME).read_to_string(&mut text).ok()?;
    Some(text)
}

/// Returns the process that `text` names, if its id belongs to the pid namespace `ours`.
///
/// The same number is another process in another namespace.
fn named_by(text: &str, ours: Option<&str>) -> Option<Pid> {
    let (pid, namespace) = match text.split_once('\n') {
        Some((pid, namespace)) => (pid, Some(namespace)),
        // An earlier release wrote it.
        None => (text, None),
    };
    Pid::parse(pid).ok().filter(|_| namespace.is_none() || namespace == ours)
}

/// The largest size of a process id with the name of its namespace, in bytes.
const LONGEST_NAME: u64 = 128;

/// Unlocks a file that is about to be closed.
fn let_go(file: &File) {
    // Closing unlocks too, so an error here does not matter. But a close does not unlock while a process that
    // another thread is starting still has the descriptor.
    let _ = os::unlock(file);
}

fn failed(path: &Path, source: io::Error) -> LifetimeError {
    LifetimeError::Io { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_of_another_pid_namespace_is_not_named() {
        #[track_caller]
        fn check(text: &str, ours: Option<&str>, expected: Option<u32>) {
            assert_eq!(named_by(text, ours).map(Pid::get), expected, "{text:?} read in {ours:?}");
        }
        check("42", Some("pid:[1]"), Some(42));
        check("42\npid:[1]", Some("pid:[1]"), Some(42));
        check("1\npid:[2]", Some("pid:[1]"), None);
        check("1\npid:[2]", None, None);
        check("", Some("pid:[1]"), None);
        check("\npid:[1]", Some("pid:[1]"), None);
    }

    #[test]
    fn each_lock_file_and_each_socket_has_a_lifetime_lock_of_its_own() {
        #[track_caller]
        fn check(made: PathBuf, expected: &str) {
            assert_eq!(made, PathBuf::from(expected));
        }
        check(beside_lock_file(Path::new("/c/daemon.lock")), "/c/daemon.lifetime");
        check(beside_lock_file(Path::new("/c/daemon-a.b.lock")), "/c/daemon-a.b.lifetime");
        check(beside_lock_file(Path::new("/c/daemon.lifetime")), "/c/daemon.lifetime.lifetime");
        check(beside_lock_file(Path::new("/c/daemon")), "/c/daemon.lifetime");
        check(beside_socket(Path::new("/c/daemon.sock")), "/c/daemon.sock.lifetime");
        check(beside_socket(Path::new("/c/sock")), "/c/sock.lifetime");
    }
}
