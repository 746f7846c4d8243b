//! Finds the process that answers at an endpoint, and its proof, in bounded steps. Starts, changes and signals
//! nothing.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use zccache_ipc::endpoint::blocking::Stream;
use zccache_ipc::endpoint::{
    ConnectError, LifetimeError, Liveness, Pid, ProvedDaemon, Unproved, daemon_liveness,
};
use zccache_ipc::model::{Request, RequestKind, Response};
use zccache_ipc::{CallError, Lane};

use crate::identity::{self, Identity};
use crate::target::{Located, TO_ASK};
use crate::units::micros;

/// Timeout of connecting to a full backlog.
const TO_CONNECT: Duration = Duration::from_millis(200);

/// The state of the daemon at an endpoint.
#[derive(Debug)]
pub(crate) struct Probed {
    /// The listening process, if the system names it.
    pub(crate) listener: Result<Option<Pid>, ConnectError>,
    /// The lifetime lock of the endpoint.
    pub(crate) lock: Result<Liveness, LifetimeError>,
    /// The process that the kernel says is the daemon.
    pub(crate) proof: Result<Pid, Unproved>,
    /// True if a signal has stopped that process.
    pub(crate) is_stopped: bool,
    /// Its identity file.
    pub(crate) identity_file: PathBuf,
    /// The result of its identity file.
    pub(crate) identity: Identity,
    /// Its answer.
    pub(crate) answer: Result<Answer, CallError>,
}

/// The daemon's own status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) lane: Lane,
    pub(crate) release: String,
    pub(crate) took: Duration,
}

/// Proof of the process that answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verified {
    /// It has answered a probe as its identity file says.
    ByIdentity,
    /// It holds the daemon's lock and listens.
    ByLock,
    /// Not verified: a released daemon without lock and identity, or another program.
    Not,
}

impl Probed {
    /// Asks the daemon. Takes the time of one answer, and at most 1.5 s.
    pub(crate) fn ask(located: &Located) -> Self {
        let endpoint = &located.target.endpoint;
        let listener =
            Stream::connect(endpoint, Instant::now() + TO_CONNECT).map(|stream| stream.peer().pid());
        let proof = ProvedDaemon::at(endpoint, located.locations.lock_file());
        let is_stopped = proof.as_ref().is_ok_and(ProvedDaemon::is_stopped);
        let answer = ask(located);
        let release = answer.as_ref().ok().map(|answer| answer.release.as_str());
        let identity_file = identity::file(&located.locations, release);
        Self {
            lock: daemon_liveness(endpoint, located.locations.lock_file()),
            proof: proof.map(|daemon| daemon.pid()),
            is_stopped,
            identity: identity::verify(&located.locations, &identity_file),
            identity_file,
            listener,
            answer,
        }
    }

    /// Returns the proof of the process that answers.
    pub(crate) fn verified(&self) -> Verified {
        match (&self.identity, &self.proof, &self.listener) {
            (Identity::Same { .. }, _, _) => Verified::ByIdentity,
            (_, Ok(holder), Ok(Some(listener))) if holder == listener => Verified::ByLock,
            _ => Verified::Not,
        }
    }

    /// Returns the process that has the endpoint, if one is known.
    pub(crate) fn process(&self) -> Option<Pid> {
        let listener = self.listener.as_ref().ok().copied().flatten();
        listener.or_else(|| self.proof.as_ref().ok().copied()).or_else(|| self.holder())
    }

    /// Returns the process that the endpoint's lock names.
    pub(crate) fn holder(&self) -> Option<Pid> {
        match self.lock {
            Ok(Liveness::Held { by }) => by,
            _ => None,
        }
    }

    /// Returns the state for programs.
    pub(crate) fn to_json(&self, located: &Located) -> Value {
        let pid = |pid: Option<Pid>| pid.map(Pid::get);
        let (answer, error) = match &self.answer {
            Ok(answer) => (Some(answer), None),
            Err(error) => (None, Some(error.to_string())),
        };
        json!({
            "endpoint": located.target.endpoint.as_str(),
            "answers": answer.is_some(),
            "latency_us": answer.map(|answer| micros(answer.took)),
            "lane": answer.map(|answer| answer.lane.name()),
            "release": answer.map(|answer| answer.release.as_str()),
            "error": error,
            "pid": pid(self.process()),
            "listener": pid(self.listener.as_ref().ok().copied().flatten()),
            "lock": match self.lock {
                Ok(Liveness::Held { .. }) => "held",
                Ok(Liveness::Free) => "free",
                Err(_) => "unknown",
            },
            "lock_holder": pid(self.holder()),
            "stopped": self.is_stopped,
            "identity": self.identity.to_json(),
            "verified": self.verified().word(),
        })
    }
}

impl Verified {
    /// Returns the fixed name.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::ByIdentity => "identity",
            Self::ByLock => "lock",
            Self::Not => "no",
        }
    }
}

fn ask(located: &Located) -> Result<Answer, CallError> {
    let began = Instant::now();
    let (lane, response) = located.target.ask_directly(TO_ASK, &Request::Status)?;
    let took = began.elapsed();
    match response {
        Response::Status(status) => Ok(Answer { lane, release: status.version, took }),
        other => Err(CallError::Unexpected { request: RequestKind::Status, answer: other.kind() }),
    }
}
