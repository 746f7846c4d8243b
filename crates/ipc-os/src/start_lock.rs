//! The lock that lets one client at a time start a daemon.

use std::path::{Path, PathBuf};

use crate::{
    Access, DirPolicy, DirectoryError, LifetimeError, Liveness, Pid, WriteError,
    atomic_file::write_hint,
    ensure_directory,
    lifetime::{self, Attempt, Lifetime},
    open_own, os,
};

/// The longest note of a failed start that is read, in bytes.
const LONGEST: u64 = 16 * 1024;

/// The lock of the one client that starts a daemon; other clients wait for it.
///
/// It spares a machine two hundred daemons that start and lose; [`Claim`](crate::Claim) ensures that only one
/// daemon serves. It is a file of its own beside the pid lock file. As for lifetime locks, the lock ends with
/// its process, and the file stays.
///
/// Rule: `docs/spec/lifecycle.md#start-lock`.
#[derive(Debug)]
pub struct StartLock {
    _lock: Lifetime,
}

/// The result of an attempt to take the start lock.
#[derive(Debug)]
pub enum StartTurn {
    /// The caller has the lock.
    Ours(StartLock),
    /// Another process has the lock.
    Taken {
        /// The holder, if the lock names it.
        by: Option<Pid>,
    },
}

impl StartLock {
    /// Takes the start lock beside the pid lock file `lock_file`, if it is free.
    ///
    /// `policy` applies to the lock's directory, which is created if missing. Does not wait for another
    /// client; processes that only examine the lock may delay it by at most half a second.
    ///
    /// # Errors
    ///
    /// [`StartLockError`]; a daemon could not take its own locks there either.
    pub fn try_take(lock_file: &Path, policy: DirPolicy) -> Result<StartTurn, StartLockError> {
        let path = start_lock_file(lock_file);
        ensure_directory(path.parent().unwrap_or(Path::new("/")), policy)?;
        Ok(match Lifetime::take(&path)? {
            Attempt::Taken(lock) => StartTurn::Ours(Self { _lock: lock }),
            Attempt::Held { by } => StartTurn::Taken { by },
        })
    }

    /// Takes the start lock from `holder` if the kernel proves that it is stopped.
    ///
    /// The file of the lock is removed, so that the clients that wait compete for a new one. The stopped client
    /// goes on where it was: the worst that it can do is start a daemon that finds the endpoint taken.
    ///
    /// # Errors
    ///
    /// As [`try_take`](Self::try_take).
    pub fn take_from_stopped(
        lock_file: &Path,
        policy: DirPolicy,
        holder: Pid,
    ) -> Result<StartTurn, StartLockError> {
        let path = start_lock_file(lock_file);
        if Self::is_stopped(lock_file, holder) {
            // Another client may have removed the file, and what cannot be removed stays locked.
            let _ = std::fs::remove_file(path);
        }
        Self::try_take(lock_file, policy)
    }

    /// Returns true if `holder` holds the start lock and a signal has stopped it.
    ///
    /// False where the system does not tell.
    #[must_use]
    pub fn is_stopped(lock_file: &Path, holder: Pid) -> bool {
        os::is_stopped(holder) && os::holds_lock(holder, &start_lock_file(lock_file)).unwrap_or(false)
    }
}

/// A start lock that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartLockError {
    /// The lock's directory is not safe to use.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The lock cannot be used.
    #[error(transparent)]
    Lock(#[from] LifetimeError),
}

/// Returns the start lock of the pid lock file: `daemon.lock` has `daemon.start`.
#[must_use]
pub fn start_lock_file(lock_file: &Path) -> PathBuf {
    lock_file.with_extension("start")
}

/// Returns whether a client is starting the daemon of the pid lock file.
///
/// Does not wait and creates nothing.
///
/// # Errors
///
/// [`LifetimeError`] if the file at the lock's path cannot be examined.
pub fn start_turn(lock_file: &Path) -> Result<Liveness, LifetimeError> {
    lifetime::ask(&start_lock_file(lock_file))
}

/// Returns the note about the last failed start beside `lock_file`.
///
/// `None` if there is no note, or if it is too long, not text, not a regular file, or of another user.
#[must_use]
pub fn failed_start(lock_file: &Path) -> Option<String> {
    use std::io::Read as _;
    let file = open_own(&note_file(lock_file), Access::Read).ok()??;
    let mut text = String::new();
    let read = file.take(LONGEST + 1).read_to_string(&mut text).ok()?;
    (read as u64 <= LONGEST).then_some(text)
}

/// Writes the note for the waiting clients; `None` removes it.
///
/// # Errors
///
/// [`WriteError`]; the other clients then try to start the daemon themselves.
pub fn note_failed_start(lock_file: &Path, text: Option<&str>) -> Result<(), WriteError> {
    let path = note_file(lock_file);
    match text {
        Some(text) => write_hint(&path, text.as_bytes(), 0o600),
        None => match std::fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(WriteError { path, source }),
            _ => Ok(()),
        },
    }
}

fn note_file(lock_file: &Path) -> PathBuf {
    lock_file.with_extension("start-failed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_at_a_time_starts_a_daemon_and_its_lock_names_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let lock_file = dir.path().join("new").join("daemon-a.b.lock");
        assert_eq!(start_lock_file(&lock_file), dir.path().join("new").join("daemon-a.b.start"));
        assert_eq!(start_turn(&lock_file).expect("asked"), Liveness::Free);
        assert!(!dir.path().join("new").exists(), "asking creates nothing");
        let take = || StartLock::try_take(&lock_file, DirPolicy::Dedicated).expect("it can be used");
        let StartTurn::Ours(lock) = take() else { panic!("nobody has it") };
        let named = Some(Pid::current());
        assert!(matches!(take(), StartTurn::Taken { by } if by == named));
        assert!(matches!(start_turn(&lock_file), Ok(Liveness::Held { by }) if by == named));
        drop(lock);
        assert!(matches!(take(), StartTurn::Ours(_)));
    }

    #[test]
    fn the_note_of_a_failed_start_is_there_until_it_is_taken_away() {
        let dir = tempfile::tempdir().expect("a directory");
        let lock_file = dir.path().join("daemon.lock");
        assert_eq!(failed_start(&lock_file), None);
        note_failed_start(&lock_file, None).expect("there is nothing to take away");
        note_failed_start(&lock_file, Some("no room")).expect("written");
        assert_eq!(failed_start(&lock_file).as_deref(), Some("no room"));
        note_failed_start(&lock_file, None).expect("taken away");
        assert_eq!(failed_start(&lock_file), None);
        std::fs::write(dir.path().join("daemon.start-failed"), "x".repeat(20_000)).expect("written");
        assert_eq!(failed_start(&lock_file), None, "too long");
    }
}
