//! What a broker says instead of naming a backend.

use std::fmt;
use std::time::Duration;

use running_process::broker::protocol::ErrorCode;

/// A broker's refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the broker refused ({kind}): {reason}{}", .retry_after.map(again).unwrap_or_default())]
#[non_exhaustive]
pub struct BrokerRefusal {
    /// Which kind.
    pub kind: RefusalKind,
    /// What the broker says, for people.
    pub reason: String,
    /// When it may be worth asking again, where the broker says so.
    pub retry_after: Option<Duration>,
}

/// Which kind of refusal it is: every one that running-process knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalKind {
    /// The broker does not speak our protocol.
    VersionUnsupported,
    /// The service definition does not admit our version.
    VersionBlocked,
    /// The broker knows no service of this name, or cannot use its definition.
    ServiceUnknown,
    /// It was asked, or had to start the daemon, too often.
    RateLimited,
    /// The broker ends.
    ShuttingDown,
    /// The daemon could not be started, or did not answer once it was.
    BackendSpawnFailed,
    /// The broker does not like who asks, or how.
    PeerRejected,
    /// The broker failed.
    Internal,
    /// The broker is short of descriptors.
    FdPressure,
    /// The broker names no reason, or one that is newer than this program.
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

    /// Its word, for programs.
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

    /// Whether the same question may be answered later.
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
