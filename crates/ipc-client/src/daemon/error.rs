//! Errors of starting and stopping a daemon.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use ipc_endpoint::Endpoint;
use ipc_os::{
    DirectoryError, LaunchError, LifetimeError, Pid, StartLockError, io_cause, io_kind_or, rounded,
};
use thiserror::Error;

use super::{LogEnd, SilentDaemon};
use crate::CallError;

/// No daemon answers.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The client cannot talk to the listener: other release, other user, no socket.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A process has the endpoint, does not answer, and was not killed.
    #[error(transparent)]
    Silent(#[from] SilentDaemon),
    /// The daemon to be replaced is still there.
    #[error("the daemon that is there was not replaced")]
    NotReplaced(#[from] StopError),
    /// Another client has held the start lock all the time.
    #[error("another client{} holds {} and started no daemon within {:?}", process(.by), lock.display(), rounded(*waited))]
    StartLockHeld {
        /// The start lock.
        lock: PathBuf,
        /// The other client, if it is known.
        by: Option<Pid>,
        /// The time that the call waited.
        waited: Duration,
    },
    /// Another client has just started the same program, and its daemon ended.
    #[error("another client has just started {} without success: {text}", program.display())]
    FailedElsewhere {
        /// The daemon's program.
        program: PathBuf,
        /// The error of the other client.
        text: String,
    },
    /// The start lock cannot be used, and so neither can the daemon's own locks.
    #[error(transparent)]
    Lock(#[from] StartLockError),
    /// No program was found to start.
    #[error("no program {name} in any of {looked_in:?}")]
    NoProgram {
        /// The program's name.
        name: String,
        /// The directories that were searched.
        looked_in: Vec<PathBuf>,
    },
    /// The system did not start the program.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The directory of the daemon's log cannot be used.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The daemon ended before it answered.
    #[error("the daemon that was started ended ({status}) and no daemon listens at {endpoint}")]
    Ended {
        /// The endpoint.
        endpoint: Endpoint,
        /// The daemon's exit status.
        status: ExitStatus,
        /// The end of the daemon's log.
        #[source]
        log: LogEnd,
    },
    /// The daemon does not answer yet. It keeps running; the next start ends it if it stays silent.
    #[error("the daemon that was started (pid {pid}) does not answer at {endpoint} after {:?}", rounded(*waited))]
    NotServing {
        /// The endpoint.
        endpoint: Endpoint,
        /// The daemon's process.
        pid: Pid,
        /// The time that the call waited.
        waited: Duration,
        /// The end of the daemon's log.
        #[source]
        log: LogEnd,
    },
    /// The system gave no thread for the start.
    #[error("the system gave no thread to start a daemon on")]
    Thread(#[source] io::Error),
}

impl StartError {
    /// Returns the error of the operating system behind this one, if there is one.
    #[must_use]
    pub fn io(&self) -> Option<&io::Error> {
        io_cause(self)
    }

    /// Returns the kind of error of the standard library that is nearest.
    ///
    /// It is the kind of [`io`](Self::io) unless the variant says more.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Call(error) => error.kind(),
            Self::NotReplaced(error) => error.kind(),
            Self::Silent(_) | Self::StartLockHeld { .. } | Self::NotServing { .. } => io::ErrorKind::TimedOut,
            Self::NoProgram { .. } => io::ErrorKind::NotFound,
            Self::Lock(_) | Self::Directory(_) => io_kind_or(self, io::ErrorKind::PermissionDenied),
            Self::Launch(_) | Self::FailedElsewhere { .. } | Self::Ended { .. } => {
                io_kind_or(self, io::ErrorKind::Other)
            }
            Self::Thread(error) => error.kind(),
        }
    }
}

/// The daemon is still there, or may be.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StopError {
    /// The client cannot talk to the daemon, or the daemon refuses.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The daemon does not answer, and was not killed.
    #[error(transparent)]
    Silent(#[from] SilentDaemon),
    /// The daemon agreed to end, or no daemon listens any more, but its lock or socket is still held.
    #[error("the daemon{} did not end within {:?}", by_pid(.pid), rounded(*waited))]
    StillThere {
        /// The daemon's process, if it is known.
        pid: Option<Pid>,
        /// The time that the call waited.
        waited: Duration,
    },
    /// The daemon's lock cannot be examined.
    #[error(transparent)]
    Lock(#[from] LifetimeError),
    /// The system gave no thread for the stop.
    #[error("the system gave no thread to stop a daemon on")]
    Thread(#[source] io::Error),
}

impl StopError {
    /// Returns the error of the operating system behind this one, if there is one.
    #[must_use]
    pub fn io(&self) -> Option<&io::Error> {
        io_cause(self)
    }

    /// Returns the kind of error of the standard library that is nearest.
    ///
    /// It is the kind of [`io`](Self::io) unless the variant says more.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Call(error) => error.kind(),
            Self::Silent(_) | Self::StillThere { .. } => io::ErrorKind::TimedOut,
            Self::Lock(_) => io_kind_or(self, io::ErrorKind::PermissionDenied),
            Self::Thread(error) => error.kind(),
        }
    }
}

fn process(pid: &Option<Pid>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

fn by_pid(pid: &Option<Pid>) -> String {
    pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
}
