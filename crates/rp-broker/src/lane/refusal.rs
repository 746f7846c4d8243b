//! Refusals of a broker.

use std::fmt;
use std::time::Duration;

use running_process::broker::protocol::ErrorCode;

/// A broker's refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the broker refused ({kind}): {reason}{}", .retry_after.map(again).unwrap_or_default())]
#[non_exhaustive]
pub struct BrokerRefusal {
    /// The kind.
    pub kind: RefusalKind,
    /// The broker's reason, for people.
    pub reason: String,
    /// The time after which to ask again, if the broker names one.
    pub retry_after: Option<Duration>,
}

/// The kind of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalKind {
    /// The broker does not speak our protocol.
    VersionUnsupported,
    /// The service definition does not admit our version.
    VersionBlocked,
    /// The broker knows no service of this name, or cannot use its definition.
    ServiceUnknown,
    /// The broker received too many Hellos, or had to start the daemon too often.
    RateLimited,
    /// The broker is shutting down.
    ShuttingDown,
    /// The daemon did not start, or did not answer after its start.
    BackendSpawnFailed,
    /// The broker rejects the client or the form of its Hello.
    PeerRejected,
    /// The broker failed.
    Internal,
    /// The broker lacks file descriptors.
    FdPressure,
    /// The broker names no code, or a code that this program does not know.
    Unspecified,
}

impl BrokerRefusal {
    pub(super) fn new(code: ErrorCode, reason: String, retry_after_ms: u64) -> Self {
        let retry_after = (retry_after_ms > 0).then(|| Duration::from_millis(retry_after_ms));
        Self { kind: RefusalKind::of(code), reason, retry_after }
    }
}

impl RefusalKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::VersionUnsupported,
        Self::VersionBlocked,
        Self::ServiceUnknown,
        Self::RateLimited,
        Self::ShuttingDown,
        Self::BackendSpawnFailed,
        Self::PeerRejected,
        Self::Internal,
        Self::FdPressure,
        Self::Unspecified,
    ];

    /// Returns the kind as one word, for programs.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::VersionUnsupported => "version-unsupported",
            Self::VersionBlocked => "version-blocked",
            Self::ServiceUnknown => "service-unknown",
            Self::RateLimited => "rate-limited",
            Self::ShuttingDown => "shutting-down",
            Self::BackendSpawnFailed => "backend-spawn-failed",
            Self::PeerRejected => "peer-rejected",
            Self::Internal => "internal",
            Self::FdPressure => "fd-pressure",
            Self::Unspecified => "unspecified",
        }
    }

    /// Returns true if the same Hello may succeed later.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        match self {
            Self::RateLimited
            | Self::ShuttingDown
            | Self::BackendSpawnFailed
            | Self::Internal
            | Self::FdPressure => true,
            Self::VersionUnsupported
            | Self::VersionBlocked
            | Self::ServiceUnknown
            | Self::PeerRejected
            | Self::Unspecified => false,
        }
    }

    pub(crate) const fn of(code: ErrorCode) -> Self {
        match code {
            ErrorCode::ErrorVersionUnsupported => Self::VersionUnsupported,
            ErrorCode::ErrorVersionBlocked => Self::VersionBlocked,
            ErrorCode::ErrorServiceUnknown => Self::ServiceUnknown,
            ErrorCode::ErrorRateLimited => Self::RateLimited,
            ErrorCode::ErrorShuttingDown => Self::ShuttingDown,
            ErrorCode::ErrorBackendSpawnFailed => Self::BackendSpawnFailed,
            ErrorCode::ErrorPeerRejected => Self::PeerRejected,
            ErrorCode::ErrorInternal => Self::Internal,
            ErrorCode::ErrorFdPressure => Self::FdPressure,
            ErrorCode::Unspecified => Self::Unspecified,
        }
    }
}

impl fmt::Display for RefusalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

fn again(after: Duration) -> String {
    format!(" (ask again in {} ms)", after.as_millis())
}
