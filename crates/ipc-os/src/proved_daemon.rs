//! The proof that a process is the daemon; no other process may be killed.

use std::{
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use thiserror::Error;

use crate::{Endpoint, LifetimeError, Liveness, Pid, blocking::Stream, daemon_liveness, lifetime, os};

/// The process that holds an endpoint's lifetime lock.
///
/// No other process listens at the endpoint. The handle cannot become another process's, and every proof was
/// made after the handle was opened. The caller must find out whether the daemon is silent or frozen.
#[derive(Debug)]
pub struct ProvedDaemon {
    pid: Pid,
    process: os::ProcessHandle,
    lock: PathBuf,
}

/// The reason why no process is proved to be the daemon.
///
/// No process may be killed then.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Unproved {
    /// No process holds the lifetime lock beside the socket.
    ///
    /// Released daemons and foreign programs hold no such lock.
    #[error("{} holds no lifetime lock of the endpoint", listener_text(.listener))]
    NoLock {
        /// The listener, if the system knows it.
        listener: Option<Pid>,
    },
    /// A process holds the lock, but the lock does not name it.
    ///
    /// It is a daemon of another PID namespace, or one that has just started or is about to end.
    #[error("the lifetime lock of the endpoint is held and names no process of this system")]
    NoName,
    /// The lock names a process that does not hold it.
    ///
    /// The process id was reused, or is one of another PID namespace.
    #[error("the lifetime lock of the endpoint names process {named}, which does not hold it")]
    NotTheHolder {
        /// The process.
        named: Pid,
    },
    /// One process holds the lock and another one listens.
    #[error("process {holder} holds the lifetime lock of the endpoint, and process {listener} listens there")]
    OtherListener {
        /// The lock holder.
        holder: Pid,
        /// The listener.
        listener: Pid,
    },
    /// The daemon is this process.
    #[error("the daemon is this process")]
    ThisProcess,
    /// The lock cannot be examined.
    #[error("the lifetime lock of the endpoint cannot be examined")]
    Lock(#[from] LifetimeError),
    /// There is no handle for the process.
    ///
    /// [`io::ErrorKind::Unsupported`] if the system has no such handles.
    #[error("the system gave no handle for process {pid}")]
    NoHandle {
        /// The lock holder.
        pid: Pid,
        /// The system's error.
        source: io::Error,
    },
}

impl ProvedDaemon {
    /// Proves that a process is the daemon at `endpoint`; waits at most 100 ms.
    ///
    /// The wait is for a full backlog. On Linux the kernel tells the lock holder, so that a daemon is proved
    /// even if it takes no connection, and a process with the reused id of a dead daemon is not mistaken for
    /// it. Where the kernel does not tell, the process must be the listener. On Windows the lock is the one
    /// beside the pid lock file `lock_file`, and the process that it names must have started before the name
    /// was written.
    ///
    /// # Errors
    ///
    /// [`Unproved`], which names the process that is there instead.
    ///
    /// Rule: `docs/spec/lifecycle.md#proof`.
    pub fn at(endpoint: &Endpoint, lock_file: &Path) -> Result<Self, Unproved> {
        const CONNECT_TIMEOUT: Duration = Duration::from_millis(100);
        let lock = lifetime::of_endpoint(endpoint, lock_file);
        let listener = || {
            let stream = Stream::connect(endpoint, Instant::now() + CONNECT_TIMEOUT).ok();
            stream.and_then(|stream| stream.peer().pid())
        };
        let pid = match lifetime::ask(&lock)? {
            Liveness::Free => return Err(Unproved::NoLock { listener: listener() }),
            Liveness::Held { by: None } => return Err(Unproved::NoName),
            Liveness::Held { by: Some(pid) } if pid == Pid::current() => return Err(Unproved::ThisProcess),
            Liveness::Held { by: Some(pid) } => pid,
        };
        let process = os::ProcessHandle::open(pid).map_err(|source| Unproved::NoHandle { pid, source })?;
        // All checks below run after the handle is open. `connect` returns only streams of our user.
        let listener = listener();
        if let Some(listener) = listener.filter(|listener| *listener != pid) {
            return Err(Unproved::OtherListener { holder: pid, listener });
        }
        let daemon = Self { pid, process, lock };
        let holds = match os::holds_lock(pid, &daemon.lock) {
            Ok(holds) => holds,
            Err(_) => listener == Some(pid),
        };
        if holds && daemon.is_named() { Ok(daemon) } else { Err(Unproved::NotTheHolder { named: pid }) }
    }

    /// Returns the process id.
    #[must_use]
    pub const fn pid(&self) -> Pid {
        self.pid
    }

    /// Returns true if the process still holds the lock.
    #[must_use]
    pub fn holds_lock(&self) -> bool {
        self.is_named() && os::holds_lock(self.pid, &self.lock).unwrap_or(true)
    }

    /// Returns true if a signal or a terminal has stopped the process.
    ///
    /// A stopped process cannot answer before it is continued. A process that a debugger traces does not
    /// count as stopped; where the system does not tell, no process does.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        os::is_stopped(self.pid) && self.holds_lock()
    }

    /// Returns the processor time that the process has used so far, in ticks.
    ///
    /// `None` if the system does not tell. A daemon that uses much processor time works, and may only be too
    /// busy to answer.
    #[must_use]
    pub fn processor_time(&self) -> Option<u64> {
        os::processor_time(self.pid)
    }

    /// Kills the process.
    ///
    /// Its locks are free a moment later; its socket stays for the next daemon to replace.
    ///
    /// # Errors
    ///
    /// The system's error.
    pub fn kill(self) -> io::Result<()> {
        self.process.kill()
    }

    fn is_named(&self) -> bool {
        matches!(lifetime::ask(&self.lock), Ok(Liveness::Held { by: Some(by) }) if by == self.pid)
    }
}

impl Unproved {
    /// Returns the process that has the endpoint: the listener, else the lock holder.
    #[must_use]
    pub fn process(&self) -> Option<Pid> {
        match self {
            Self::NoLock { listener } => *listener,
            Self::NotTheHolder { named: pid }
            | Self::OtherListener { listener: pid, .. }
            | Self::NoHandle { pid, .. } => Some(*pid),
            Self::ThisProcess => Some(Pid::current()),
            Self::NoName | Self::Lock(_) => None,
        }
    }
}

fn listener_text(listener: &Option<Pid>) -> String {
    listener.map_or_else(|| "the listener".to_owned(), |pid| format!("process {pid} listens and"))
}

/// Returns true if `holder` no longer holds the lifetime lock of `endpoint`.
///
/// # Errors
///
/// As [`daemon_liveness`].
pub fn has_let_go(endpoint: &Endpoint, lock_file: &Path, holder: Pid) -> Result<bool, LifetimeError> {
    Ok(match daemon_liveness(endpoint, lock_file)? {
        Liveness::Held { by } => by.is_some_and(|by| by != holder),
        Liveness::Free => true,
    })
}
