//! By which way a connection was made.

use std::fmt;

use ipc_endpoint::Endpoint;
use ipc_os::ConnectError;
use thiserror::Error;

use super::LaneFailure;

/// By which way a connection to a daemon was made, and why.
#[derive(Debug)]
#[non_exhaustive]
pub enum Route {
    /// The daemon's own endpoint was dialled.
    Direct(WhyDirect),
    /// `RUNNING_PROCESS_FAKE_BACKEND` named the endpoint.
    FakeBackend {
        /// The endpoint.
        endpoint: Endpoint,
    },
    /// The backend that a broker had named before was dialled, and no broker asked.
    HelloSkip {
        /// The backend's endpoint.
        endpoint: Endpoint,
    },
    /// The broker was asked, and named the backend.
    BrokerNegotiated {
        /// The backend's endpoint.
        endpoint: Endpoint,
        /// The version that the broker gives for it; broker v2 gives its own.
        daemon_version: String,
    },
    /// The broker was asked, and handed its own connection on to the backend.
    HandlePassed {
        /// The backend's endpoint.
        endpoint: Endpoint,
        /// The version that the broker gives for it.
        daemon_version: String,
    },
}

/// Why a daemon's own endpoint was dialled.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WhyDirect {
    /// `RUNNING_PROCESS_DISABLE` is `1`.
    #[error("RUNNING_PROCESS_DISABLE is 1")]
    Disabled,
    /// Nobody asked for the broker lane.
    #[error("ZCCACHE_BROKER_CONNECT is not 1")]
    NotAsked,
    /// The endpoint that `RUNNING_PROCESS_FAKE_BACKEND` names cannot be connected to.
    #[error("the endpoint of RUNNING_PROCESS_FAKE_BACKEND cannot be used")]
    FakeBackend(#[source] ConnectError),
    /// The broker led to no connection.
    #[error(transparent)]
    Broker(#[from] LaneFailure),
}

impl Route {
    /// Its word, for programs.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Direct(_) => "direct",
            Self::FakeBackend { .. } => "fake-backend",
            Self::HelloSkip { .. } => "hello-skip",
            Self::BrokerNegotiated { .. } => "broker-negotiated",
            Self::HandlePassed { .. } => "handle-passed",
        }
    }

    /// Where the lane led, if it did not end in a direct connection.
    #[must_use]
    pub const fn endpoint(&self) -> Option<&Endpoint> {
        match self {
            Self::Direct(_) => None,
            Self::FakeBackend { endpoint }
            | Self::HelloSkip { endpoint }
            | Self::BrokerNegotiated { endpoint, .. }
            | Self::HandlePassed { endpoint, .. } => Some(endpoint),
        }
    }

    /// Why the daemon was dialled directly, if it was.
    #[must_use]
    pub const fn why_direct(&self) -> Option<&WhyDirect> {
        match self {
            Self::Direct(why) => Some(why),
            _ => None,
        }
    }
}

impl WhyDirect {
    /// Its word, for programs.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::NotAsked => "not-asked",
            Self::FakeBackend(_) => "fake-backend-failed",
            Self::Broker(failure) => failure.label(),
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}
