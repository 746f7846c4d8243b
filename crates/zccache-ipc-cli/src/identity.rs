//! Verifies the daemon by its identity file.

use std::time::Duration;

use serde_json::{Value, json};
use zccache_ipc::endpoint::{Locations, Pid};
#[cfg(feature = "running-process")]
use zccache_ipc::rp_broker::{
    identity,
    probe::{self, Ask, Difference, Outcome, Unknown},
};

#[cfg(feature = "running-process")]
use crate::report;
use crate::units::micros;

/// Result of verifying the identity file.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "running-process"),
    expect(dead_code, reason = "a build without running-process only knows `Off`")
)]
pub(crate) enum Identity {
    /// `RUNNING_PROCESS_DISABLE` is 1, or this program was built without it.
    Off,
    /// There is no such file, as with daemons up to 1.11.21.
    None,
    /// The daemon is the one in the file.
    Same { pid: Pid, took: Duration },
    /// Another build of the same daemon is on the disk by now.
    OtherBuild(String),
    /// Something else answers.
    Different(String),
    /// The process in the file has ended.
    Gone,
    /// It was not found out.
    Unknown(String),
}

/// Verifies, within half a second.
#[cfg(feature = "running-process")]
pub(crate) fn verify(locations: &Locations) -> Identity {
    if !Ask::is_allowed_by(locations.daemon_environment()) {
        return Identity::Off;
    }
    match probe::verify(&Ask::of(locations)) {
        Outcome::Same(proof) => Identity::Same { pid: proof.pid(), took: proof.took },
        Outcome::Different(difference @ (Difference::Replaced(_) | Difference::Build(_))) => {
            Identity::OtherBuild(difference.to_string())
        }
        Outcome::Different(difference) => Identity::Different(difference.to_string()),
        Outcome::Gone => Identity::Gone,
        Outcome::Unknown(Unknown::NoIdentityFile(_)) => Identity::None,
        Outcome::Unknown(unknown) => Identity::Unknown(report::chain(&unknown)),
        other => Identity::Unknown(other.word().to_owned()),
    }
}

/// Verifies nothing: this program cannot read identity files.
#[cfg(not(feature = "running-process"))]
pub(crate) const fn verify(_: &Locations) -> Identity {
    Identity::Off
}

/// Returns the process that the file names, even if it has ended.
#[cfg(feature = "running-process")]
pub(crate) fn recorded(locations: &Locations) -> Option<Pid> {
    Some(identity::read(locations.identity_file()).ok()??.pid)
}

/// Returns `None`: this program cannot read identity files.
#[cfg(not(feature = "running-process"))]
pub(crate) const fn recorded(_: &Locations) -> Option<Pid> {
    None
}

impl Identity {
    /// Returns the result for programs.
    pub(crate) fn to_json(&self) -> Value {
        let (pid, micros) = match self {
            Self::Same { pid, took } => (Some(pid.get()), Some(micros(*took))),
            _ => (None, None),
        };
        json!({ "outcome": self.word(), "why": self.why(), "pid": pid, "latency_us": micros })
    }

    /// Returns the outcome in one word.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::None => "none",
            Self::Same { .. } => "same",
            Self::OtherBuild(_) | Self::Different(_) => "different",
            Self::Gone => "gone",
            Self::Unknown(_) => "unknown",
        }
    }

    /// Returns the detail of the outcome.
    pub(crate) fn why(&self) -> Option<&str> {
        match self {
            Self::OtherBuild(why) | Self::Different(why) | Self::Unknown(why) => Some(why),
            _ => None,
        }
    }
}
