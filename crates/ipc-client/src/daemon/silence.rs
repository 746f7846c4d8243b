//! A daemon that does not answer: ending it, or saying why it is not ended.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use ipc_endpoint::Endpoint;
use ipc_os::{Pid, ProvedDaemon, Unproved, has_let_go};
use thiserror::Error;

use super::DaemonPlace;
use crate::CallError;

/// How long the locks of a process may be held after it was ended.
const TO_DIE: Duration = Duration::from_secs(1);

/// Between two looks at the locks.
const PAUSE: Duration = Duration::from_millis(5);

/// Somebody who has the endpoint and does not answer.
#[derive(Debug)]
pub(super) struct Silent {
    pub(super) verdict: Verdict,
    pub(super) waited: Duration,
    pub(super) proof: Result<ProvedDaemon, Unproved>,
    pub(super) silence: CallError,
}

/// What sort of silence it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is stopped and cannot answer.
    Frozen,
    /// It has been silent for as long as it may be.
    Mute,
    /// It may still answer.
    TooSoon,
}

/// A process that has the endpoint, does not answer, and was not ended.
#[derive(Debug, Error)]
#[error("{} has {endpoint} and gave no answer within {waited:?}", who(.process))]
#[non_exhaustive]
pub struct SilentDaemon {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The process, where it is known.
    pub process: Option<Pid>,
    /// How long it was asked.
    pub waited: Duration,
    /// Why it lives on.
    pub why: Box<NotEnded>,
    /// What the last question came to.
    #[source]
    pub silence: Box<CallError>,
}

/// Why a silent process was not ended.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NotEnded {
    /// The caller wants no daemon to be replaced.
    #[error("it was not to be replaced")]
    NotWanted,
    /// The caller's time was over before it had been silent for long enough.
    #[error("it has not been silent for long enough")]
    TooSoon,
    /// It is not proved to be the daemon.
    #[error(transparent)]
    Unproved(#[from] Unproved),
    /// Its identity file, or the process itself, says that it is something else.
    #[error("it holds the lock, and is not the daemon of the identity file")]
    Identity(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The system did not let it be ended.
    #[error("the system does not let it be ended")]
    Kill(#[source] io::Error),
    /// It was ended and its lock is held all the same.
    #[error("it was killed, and its lock is not free")]
    Stays,
}

impl Silent {
    /// Who it is, as far as can be told.
    pub(super) fn process(&self) -> Option<Pid> {
        match &self.proof {
            Ok(daemon) => Some(daemon.pid()),
            Err(unproved) => unproved.process(),
        }
    }

    /// Whether the process that was seen still holds the lock.
    pub(super) fn is_there(&self) -> bool {
        self.proof.as_ref().is_ok_and(ProvedDaemon::holds_lock)
    }

    /// Whether it may be ended.
    pub(super) fn may_be_ended(&self) -> bool {
        self.verdict != Verdict::TooSoon && self.proof.is_ok()
    }

    /// Ends it, and waits until its lock is free.
    ///
    /// The lock proves that it is the daemon; where there is an identity file, that must not say otherwise.
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
        if let Err(error) = end_proved(daemon, endpoint) {
            return Err(failed(Some(pid), error));
        }
        Ok(pid)
    }

    /// Says that it is not to be ended.
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

/// Ends `daemon`, and waits until its lock is free.
fn end_proved(daemon: ProvedDaemon, endpoint: &Endpoint) -> Result<(), NotEnded> {
    let pid = daemon.pid();
    daemon.kill().map_err(NotEnded::Kill)?;
    let deadline = Instant::now() + TO_DIE;
    loop {
        match has_let_go(endpoint, pid) {
            Ok(true) => return Ok(()),
            Ok(false) if Instant::now() < deadline => thread::sleep(PAUSE),
            Ok(false) => return Err(NotEnded::Stays),
            Err(error) => return Err(NotEnded::Unproved(error.into())),
        }
    }
}

fn who(process: &Option<Pid>) -> String {
    process.map_or_else(|| "somebody".to_owned(), |pid| format!("process {pid}"))
}
