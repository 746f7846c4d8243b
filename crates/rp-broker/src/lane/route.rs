//! The route of a connection.

use std::fmt;

use ipc_endpoint::Endpoint;
use ipc_os::ConnectError;
use thiserror::Error;

use super::LaneFailure;

/// The route of a connection to a daemon, and the reason for it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Route {
    /// The client connected to the daemon's own endpoint.
    Direct(WhyDirect),
    /// `RUNNING_PROCESS_FAKE_BACKEND` named the endpoint.
    FakeBackend {
        /// The endpoint.
        endpoint: Endpoint,
    },
    /// The client connected to a backend that a broker had named before.
    HelloSkip {
        /// The backend's endpoint.
        endpoint: Endpoint,
    },
    /// The broker named the backend.
    BrokerNegotiated {
        /// The backend's endpoint.
        endpoint: Endpoint,
        /// The backend's version, as the broker reports it; broker v2 reports its own.
        daemon_version: String,
    },
    /// The broker handed its own connection to the backend.
    HandlePassed {
        /// The backend's endpoint.
        endpoint: Endpoint,
        /// The backend's version, as the broker reports it.
        daemon_version: String,
    },
}

/// The reason for a direct connection.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WhyDirect {
    /// `RUNNING_PROCESS_DISABLE` is `1`.
    #[error("RUNNING_PROCESS_DISABLE is 1")]
    Disabled,
    /// The environment does not enable the broker lane.
    #[error("ZCCACHE_BROKER_CONNECT is not 1")]
    NotAsked,
    /// Connecting to the endpoint in `RUNNING_PROCESS_FAKE_BACKEND` failed.
    #[error("the endpoint of RUNNING_PROCESS_FAKE_BACKEND cannot be used")]
    FakeBackend(#[source] ConnectError),
    /// The broker led to no connection.
    #[error(transparent)]
    Broker(#[from] LaneFailure),
}

impl Route {
    /// Returns the value as one word, for programs.
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

    /// Returns the endpoint of the lane, or `None` for a direct connection.
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

    /// Returns the reason for a direct connection, or `None` for another route.
    #[must_use]
    pub const fn why_direct(&self) -> Option<&WhyDirect> {
        match self {
            Self::Direct(why) => Some(why),
            _ => None,
        }
    }
}

impl WhyDirect {
    /// Returns the value as one word, for programs.
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
