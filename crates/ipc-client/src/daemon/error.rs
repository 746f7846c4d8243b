//! Why there is no daemon, or why there still is one.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use ipc_endpoint::Endpoint;
use ipc_os::{DirectoryError, LaunchError, LifetimeError, Pid, StartLockError};
use thiserror::Error;

use super::{LogEnd, SilentDaemon};
use crate::CallError;

/// No daemon answers.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// Whoever is there cannot be talked to: another release, another user, no socket.
    #[error(transparent)]
    Call(#[from] CallError),
    /// Whoever is there does not answer, and was not ended.
    #[error(transparent)]
    Silent(#[from] SilentDaemon),
    /// The daemon that was to give way is still there.
    #[error("the daemon that is there was not replaced")]
    NotReplaced(#[from] StopError),
    /// Another client has been starting the daemon all the time.
    #[error("another client{} holds {} for {waited:?} and has no daemon yet", process(.by), lock.display())]
    Turn {
        /// The start lock.
        lock: PathBuf,
        /// The other client, where it is known.
        by: Option<Pid>,
        /// How long it was waited for.
        waited: Duration,
    },
    /// Another client has just tried the same, and its daemon ended.
    #[error("another client has just started {} in vain: {text}", program.display())]
    FailedElsewhere {
        /// The daemon's program.
        program: PathBuf,
        /// What the other client was told.
        text: String,
    },
    /// The start lock cannot be used, and so neither could the daemon's own locks.
    #[error(transparent)]
    Lock(#[from] StartLockError),
    /// There is no program to start.
    #[error("no program {name} in any of {looked_in:?}")]
    NoProgram {
        /// Its name.
        name: String,
        /// The directories in which it is not.
        looked_in: Vec<PathBuf>,
    },
    /// The program was not started.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The directory of the daemon's log cannot be used.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The daemon ended.
    #[error("the daemon that was started ended ({status}) and nobody listens at {endpoint}")]
    Ended {
        /// The endpoint.
        endpoint: Endpoint,
        /// How it ended.
        status: ExitStatus,
        /// What it said.
        #[source]
        log: LogEnd,
    },
    /// The daemon does not answer yet. It was left alone; the next start ends it if it stays so.
    #[error("the daemon that was started (pid {pid}) does not answer at {endpoint} after {waited:?}")]
    NotServing {
        /// The endpoint.
        endpoint: Endpoint,
        /// Its process.
        pid: Pid,
        /// How long it was waited for.
        waited: Duration,
        /// What it said.
        #[source]
        log: LogEnd,
    },
    /// There was no thread to do it on.
    #[error("there is no thread to start a daemon on")]
    Thread(#[source] io::Error),
}

/// The daemon is still there, or may be.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StopError {
    /// It cannot be talked to, or refuses.
    #[error(transparent)]
    Call(#[from] CallError),
    /// It does not answer, and was not ended.
    #[error(transparent)]
    Silent(#[from] SilentDaemon),
    /// It agreed to end, or nobody listens any more, and its lock or socket is still held.
    #[error("the daemon{} did not end within {waited:?}", by_pid(.pid))]
    StillThere {
        /// Its process, where it is known.
        pid: Option<Pid>,
        /// How long it was waited for.
        waited: Duration,
    },
    /// Its lock cannot be asked about.
    #[error(transparent)]
    Lock(#[from] LifetimeError),
    /// There was no thread to do it on.
    #[error("there is no thread to stop a daemon on")]
    Thread(#[source] io::Error),
}

fn process(pid: &Option<Pid>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

fn by_pid(pid: &Option<Pid>) -> String {
    pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
}
