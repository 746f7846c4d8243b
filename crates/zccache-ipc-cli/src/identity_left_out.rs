//! Without running-process's formats no identity file is read.

use std::time::Duration;

use serde_json::{Value, json};
use zccache_ipc::endpoint::{Locations, Pid};

/// What the identity file comes to: nothing but `Off` is ever found out here.
#[derive(Debug)]
#[expect(dead_code, reason = "the other outcomes are those of a build with the feature `broker`")]
pub(crate) enum Identity {
    Off,
    None,
    Same { pid: Pid, took: Duration },
    OtherBuild(String),
    Different(String),
    Gone,
    Unknown(String),
}

/// Verifies nothing.
pub(crate) const fn verify(_: &Locations) -> Identity {
    Identity::Off
}

/// The process in the file is not known.
pub(crate) const fn recorded(_: &Locations) -> Option<Pid> {
    None
}

impl Identity {
    /// The same for programs.
    pub(crate) fn to_json(&self) -> Value {
        json!({ "outcome": self.word(), "why": self.why(), "pid": null, "latency_us": null })
    }

    /// The outcome in one word.
    pub(crate) const fn word(&self) -> &'static str {
        "off"
    }

    /// What more there is to say.
    pub(crate) const fn why(&self) -> Option<&str> {
        None
    }
}
