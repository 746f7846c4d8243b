//! Our clients: one call each, and what the caller is told.

use std::fmt;
use std::time::Duration;

use anyhow::Result;
use tokio::runtime::Runtime;
use zccache_ipc::model::RequestKind;
use zccache_ipc::{CallError, ClientConfig, IpcError, Lane, WirePolicy, blocking};

use super::family::{Fixture, call};

/// A kind of client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Client {
    /// The asynchronous one, with a policy.
    Async(WirePolicy),
    /// The one without a runtime, with the default policy.
    Blocking,
}

/// The result that the caller receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// It was done; with what distinguishes the answer, where something does.
    Done(String),
    /// The daemon does not do it.
    Refused,
    /// The daemon does not speak the version.
    VersionRefused,
    /// There was no answer in time, and asking again is harmless.
    TimedOut,
    /// There was no answer, and the daemon may have done it.
    OutcomeUnknown,
    /// Anything else.
    Other(String),
}

impl Client {
    /// Every kind.
    pub(crate) const ALL: [Self; 5] = [
        Self::Async(WirePolicy::Only(Lane::V15)),
        Self::Async(WirePolicy::Only(Lane::V16)),
        Self::Async(WirePolicy::Only(Lane::FrameV1)),
        Self::Async(WirePolicy::Auto),
        Self::Blocking,
    ];

    /// The name in the tables.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Async(WirePolicy::Only(Lane::V15)) => "v15",
            Self::Async(WirePolicy::Only(Lane::V16)) => "v16",
            Self::Async(WirePolicy::Only(Lane::FrameV1)) => "frame",
            Self::Async(WirePolicy::Auto) => "auto",
            Self::Async(WirePolicy::AsReleased) => "as-released",
            Self::Blocking => "blocking",
        }
    }

    /// Returns the wire policy of the client.
    pub(crate) const fn policy(self) -> WirePolicy {
        match self {
            Self::Async(policy) => policy,
            Self::Blocking => WirePolicy::Auto,
        }
    }

    /// Makes one call with a client of its own.
    pub(crate) fn call(
        self,
        runtime: &Runtime,
        endpoint: &str,
        limit: Duration,
        kind: RequestKind,
        fixture: &Fixture,
    ) -> Told {
        let config = ClientConfig::within(limit).wire(self.policy());
        match self {
            Self::Async(_) => runtime.block_on(async {
                call!(zccache_ipc::Client::new(endpoint, config), kind, fixture, {.await})
            }),
            Self::Blocking => call!(blocking::Client::new(endpoint, config), kind, fixture, {}),
        }
        .map_or_else(Told::of, Told::Done)
    }
}

impl Told {
    /// It was done, and that is all, or `what`.
    pub(crate) fn done(what: &str) -> Self {
        Self::Done(what.to_owned())
    }

    fn of(error: CallError) -> Self {
        match error {
            CallError::Refused { .. } => Self::Refused,
            CallError::VersionRefused { .. } => Self::VersionRefused,
            CallError::OutcomeUnknown { .. } => Self::OutcomeUnknown,
            CallError::Ipc(IpcError::TimedOut(_)) => Self::TimedOut,
            other => Self::Other(told(&other)),
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done(what) if what.is_empty() => "done",
            Self::Done(what) => what,
            Self::Refused => "refused",
            Self::VersionRefused => "version refused",
            Self::TimedOut => "timed out",
            Self::OutcomeUnknown => "outcome unknown",
            Self::Other(what) => what,
        })
    }
}

/// The error with its causes.
fn told(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |told, cause| format!("{told}: {cause}"))
}

/// Opens a session for the families that need one.
///
/// # Errors
///
/// When the daemon opens none.
pub(crate) fn open_session(endpoint: &str, lane: Lane, limit: Duration, fixture: &Fixture) -> Result<String> {
    let config = ClientConfig::within(limit).wire(WirePolicy::Only(lane));
    Ok(blocking::Client::new(endpoint, config).session_start(fixture.session_start())?.session_id)
}
