//! Kills a daemon that does not answer, or explains why it was not killed.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use ipc_endpoint::Endpoint;
use ipc_os::{Pid, ProvedDaemon, Unproved, has_let_go, rounded};
use thiserror::Error;

use super::DaemonPlace;
use crate::CallError;

/// The time within which the locks of a killed process must be free.
const TO_DIE: Duration = Duration::from_secs(1);

/// The pause between two looks at the locks.
const PAUSE: Duration = Duration::from_millis(5);

/// A process that has the endpoint and does not answer.
#[derive(Debug)]
pub(super) struct Silent {
    pub(super) verdict: Verdict,
    pub(super) waited: Duration,
    pub(super) proof: Result<ProvedDaemon, Unproved>,
    pub(super) silence: CallError,
}

/// The kind of silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The process is stopped and cannot answer.
    Frozen,
    /// The process has been silent for the whole time allowed.
    Mute,
    /// The process may still answer.
    TooSoon,
}

/// A process that has the endpoint, does not answer, and was not killed.
#[derive(Debug, Error)]
#[error("{} has {endpoint} and gave no answer within {:?}", who(.process), rounded(*waited))]
#[non_exhaustive]
pub struct SilentDaemon {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The process, if it is known.
    pub process: Option<Pid>,
    /// The time for which the client asked.
    pub waited: Duration,
    /// The reason why it was not killed.
    pub why: Box<NotEnded>,
    /// The error of the last question.
    #[source]
    pub silence: Box<CallError>,
}

/// The reason why a silent process was not killed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NotEnded {
    /// The caller wants no daemon to be replaced.
    #[error("the caller wants no daemon to be replaced")]
    NotWanted,
    /// The caller's timeout passed before the process had been silent for long enough.
    #[error("it has not been silent for long enough")]
    TooSoon,
    /// The process is not proved to be the daemon.
    #[error(transparent)]
    Unproved(#[from] Unproved),
    /// The identity file, or the process itself, says that the process is another program.
    #[error("it holds the lock, and is not the daemon of the identity file")]
    Identity(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The system refused to kill the process.
    #[error("the system refused to kill it")]
    Kill(#[source] io::Error),
    /// The process was killed, but its lock is still held.
    #[error("it was killed, but its lock is still held")]
    Stays,
}

impl Silent {
    /// Returns the process, if it is known.
    pub(super) fn process(&self) -> Option<Pid> {
        match &self.proof {
            Ok(daemon) => Some(daemon.pid()),
            Err(unproved) => unproved.process(),
        }
    }

    /// Returns true if the process that was seen still holds the lock.
    pub(super) fn is_there(&self) -> bool {
        self.proof.as_ref().is_ok_and(ProvedDaemon::holds_lock)
    }

    /// Returns true if the process may be killed.
    pub(super) fn may_be_ended(&self) -> bool {
        self.verdict != Verdict::TooSoon && self.proof.is_ok()
    }

    /// Kills the process, and waits until its lock is free.
    ///
    /// The lock proves that the process is the daemon; an identity file, if there is one, must not
    /// contradict.
    pub(super) fn end(self, place: &DaemonPlace) -> Result<Pid, SilentDaemon> {
        let endpoint = place.endpoint();
        let Self { verdict, waited, proof, silence } = self;
        let failed = |process, why| SilentDaemon {
            endpoint: endpoint.clone(),
            process,
            waited,
            why: Box::new(why),
            silence: Box::new(silence),
        };
        let daemon = match proof {
            Ok(daemon) if verdict == Verdict::TooSoon => {
                return Err(failed(Some(daemon.pid()), NotEnded::TooSoon));
            }
            Ok(daemon) => daemon,
            Err(unproved) => return Err(failed(unproved.process(), unproved.into())),
        };
        let pid = daemon.pid();
        #[cfg(feature = "running-process")]
        if let DaemonPlace::Compile(locations) = place
            && let Some(difference) = super::contradiction::contradiction(locations, pid)
        {
            return Err(failed(Some(pid), NotEnded::Identity(difference)));
        }
        if let Err(error) = end_proved(daemon, place) {
            return Err(failed(Some(pid), error));
        }
        Ok(pid)
    }

    /// Returns the error for a silent daemon that the caller does not want to replace.
    pub(super) fn unwanted(self, endpoint: &Endpoint) -> SilentDaemon {
        SilentDaemon {
            endpoint: endpoint.clone(),
            process: self.process(),
            waited: self.waited,
            why: Box::new(NotEnded::NotWanted),
            silence: Box::new(self.silence),
        }
    }
}

/// Kills `daemon`, and waits until its lock is free.
fn end_proved(daemon: ProvedDaemon, place: &DaemonPlace) -> Result<(), NotEnded> {
    let pid = daemon.pid();
    daemon.kill().map_err(NotEnded::Kill)?;
    let deadline = Instant::now() + TO_DIE;
    loop {
        match has_let_go(place.endpoint(), place.lock_file(), pid) {
            Ok(true) => return Ok(()),
            Ok(false) if Instant::now() < deadline => thread::sleep(PAUSE),
            Ok(false) => return Err(NotEnded::Stays),
            Err(error) => return Err(NotEnded::Unproved(error.into())),
        }
    }
}

fn who(process: &Option<Pid>) -> String {
    process.map_or_else(|| "a process".to_owned(), |pid| format!("process {pid}"))
}
