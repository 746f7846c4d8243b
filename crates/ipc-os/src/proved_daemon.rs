//! The one process that may be ended by force: a daemon that is proved to be one.

use std::{
    io,
    path::PathBuf,
    time::{Duration, Instant},
};

use thiserror::Error;

use crate::{Endpoint, LifetimeError, Liveness, Pid, blocking::Stream, endpoint_liveness, lifetime, os};

/// The process that holds the lifetime lock beside the socket of an endpoint, where nobody else listens.
///
/// It is held by a handle that cannot become another process's, and every proof was found after the handle was
/// there. That it is silent or frozen is for the caller to find out.
#[derive(Debug)]
pub struct ProvedDaemon {
    pid: Pid,
    process: os::ProcessHandle,
    lock: PathBuf,
}

/// Why no process is proved to be the daemon of an endpoint, so that none may be ended.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Unproved {
    /// Nobody holds the lifetime lock beside the socket: released daemons hold none, nor does a stranger.
    #[error("{} holds no lifetime lock of the endpoint", listener_text(.listener))]
    NoLock {
        /// Who listens, where the system tells.
        listener: Option<Pid>,
    },
    /// Somebody holds the lock, and it does not say who: a daemon of another PID namespace, or one that has
    /// only just begun or is about to end.
    #[error("the lifetime lock of the endpoint is held and names no process of this system")]
    NoName,
    /// The lock names a process that does not hold it: its id was used again, or is of another PID namespace.
    #[error("process {named} stands in the lifetime lock of the endpoint and does not hold it")]
    NotTheHolder {
        /// The process.
        named: Pid,
    },
    /// One process holds the lock and another one listens.
    #[error("process {holder} holds the lifetime lock of the endpoint, and process {listener} listens there")]
    OtherListener {
        /// Who holds the lock.
        holder: Pid,
        /// Who listens.
        listener: Pid,
    },
    /// It is this very process.
    #[error("the daemon is this process")]
    ThisProcess,
    /// The lock cannot be asked about.
    #[error("the lifetime lock of the endpoint cannot be looked at")]
    Lock(#[from] LifetimeError),
    /// There is no handle on the process; [`io::ErrorKind::Unsupported`] where the system has none.
    #[error("there is no handle on process {pid} that stays its own")]
    NoHandle {
        /// Who holds the lock.
        pid: Pid,
        /// What the system said.
        source: io::Error,
    },
}

impl ProvedDaemon {
    /// Proves which process is the daemon at `endpoint`. Waits at most 100 ms, for a full backlog.
    ///
    /// On Linux the kernel is asked who holds the lock, so that a daemon is proved even while it takes no
    /// connection, and a process that was given the id of a dead one is not taken for it. Where the kernel
    /// does not tell, the process must be the one that listens.
    ///
    /// # Errors
    ///
    /// [`Unproved`], which names who is there instead.
    pub fn at(endpoint: &Endpoint) -> Result<Self, Unproved> {
        const PATIENCE: Duration = Duration::from_millis(100);
        let Some(socket) = os::socket_path(endpoint) else { return Err(Unproved::NoLock { listener: None }) };
        let lock = lifetime::beside_socket(socket);
        let listener = || {
            let stream = Stream::connect(endpoint, Instant::now() + PATIENCE).ok();
            stream.and_then(|stream| stream.peer().pid())
        };
        let pid = match lifetime::ask(&lock)? {
            Liveness::Free => return Err(Unproved::NoLock { listener: listener() }),
            Liveness::Held { by: None } => return Err(Unproved::NoName),
            Liveness::Held { by: Some(pid) } if pid == Pid::current() => return Err(Unproved::ThisProcess),
            Liveness::Held { by: Some(pid) } => pid,
        };
        let process = os::ProcessHandle::open(pid).map_err(|source| Unproved::NoHandle { pid, source })?;
        // Everything below is asked after the handle is there. A stream is of our user, or none.
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

    /// Its process id.
    #[must_use]
    pub const fn pid(&self) -> Pid {
        self.pid
    }

    /// Whether it still holds the lock.
    #[must_use]
    pub fn holds_lock(&self) -> bool {
        self.is_named() && os::holds_lock(self.pid, &self.lock).unwrap_or(true)
    }

    /// Whether it is stopped, as by SIGSTOP or a terminal, so that it cannot answer before it is let go on.
    /// One that a debugger looks at is not; where the system does not tell, none is.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        os::is_stopped(self.pid) && self.holds_lock()
    }

    /// Returns the processor time that it has taken so far, in ticks; `None` where the system does not tell.
    ///
    /// A daemon that takes much of it is at work, and may only be too busy to answer.
    #[must_use]
    pub fn processor_time(&self) -> Option<u64> {
        os::processor_time(self.pid)
    }

    /// Ends it at once. Its locks are free a moment later; its socket stays for the next daemon to replace.
    ///
    /// # Errors
    ///
    /// What the system said.
    pub fn kill(self) -> io::Result<()> {
        self.process.kill()
    }

    fn is_named(&self) -> bool {
        matches!(lifetime::ask(&self.lock), Ok(Liveness::Held { by: Some(by) }) if by == self.pid)
    }
}

impl Unproved {
    /// The process that has the endpoint as far as can be told: who listens, else who holds the lock.
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
    listener.map_or_else(|| "who listens".to_owned(), |pid| format!("process {pid} listens and"))
}

/// Whether `holder` of the lock beside the socket has let it go.
///
/// # Errors
///
/// As [`endpoint_liveness`].
pub fn has_let_go(endpoint: &Endpoint, holder: Pid) -> Result<bool, LifetimeError> {
    Ok(match endpoint_liveness(endpoint)? {
        Some(Liveness::Held { by }) => by.is_some_and(|by| by != holder),
        Some(Liveness::Free) | None => true,
    })
}
