//! Failures of the broker lane.

use std::io;
use std::time::Duration;

use ipc_os::{ConnectError, io_cause, io_kind_or};
use running_process::broker::adopt::AdoptError;
use running_process::broker::client::BrokerClientError;
use running_process::broker::protocol::FramingError;
use thiserror::Error;

use super::{BrokerRefusal, RefusalKind};

/// The broker lane led to no connection, so the client connects directly.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LaneFailure {
    /// The broker refused.
    #[error(transparent)]
    Refused(BrokerRefusal),
    /// No broker listens.
    #[error("no broker listens")]
    Absent(#[source] io::Error),
    /// Connecting to the broker failed for another reason.
    #[error("the broker cannot be reached")]
    Unreachable(#[source] io::Error),
    /// The broker did not answer in time.
    #[error("the broker did not answer within {0:?}")]
    Silent(Duration),
    /// The broker still owes this process an earlier answer and is not asked again.
    #[error("the broker still owes this process an answer")]
    StillSilent,
    /// This process already waits for the maximum number of brokers.
    #[error("this process waits for too many brokers; none of them answered within {0:?}")]
    Crowded(Duration),
    /// The broker closed the connection before it had answered.
    #[error("the broker closed the connection before it had answered")]
    Closed(#[source] Box<BrokerClientError>),
    /// The broker sent something that is not an answer.
    #[error("the broker's answer cannot be understood")]
    Garbage(#[source] Box<BrokerClientError>),
    /// The broker named no backend.
    #[error("the broker named no daemon")]
    NoBackend,
    /// Connecting to the broker's backend failed.
    #[error("the daemon that the broker named does not listen")]
    BackendGone(#[source] io::Error),
    /// This program may not use the connection to the backend.
    #[error("the daemon that the broker named cannot be used")]
    Backend(#[from] ConnectError),
    /// `RUNNING_PROCESS_DISABLE` is `1`.
    #[error("RUNNING_PROCESS_DISABLE turns the broker off")]
    Disabled,
    /// `RUNNING_PROCESS_DISABLE` is set and not `1`, which running-process refuses.
    #[error("RUNNING_PROCESS_DISABLE is {value:?}, and must be 1 or missing")]
    DisableValue {
        /// The value.
        value: String,
    },
    /// The path of the user's broker cannot be derived.
    #[error("cannot derive the endpoint of this user's broker: {0}")]
    Unlocated(String),
    /// No thread could be started, or the thread failed.
    #[error("the broker could not be asked: {0}")]
    Thread(String),
}

impl LaneFailure {
    /// Returns the error of the operating system behind this one, if there is one.
    #[must_use]
    pub fn io(&self) -> Option<&io::Error> {
        io_cause(self)
    }

    /// Returns the kind of error of the standard library that is nearest.
    ///
    /// It is the kind of [`io`](Self::io) unless the variant says more.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Silent(_) | Self::StillSilent | Self::Crowded(_) => io::ErrorKind::TimedOut,
            Self::Refused(_) => io::ErrorKind::ConnectionRefused,
            Self::NoBackend | Self::Unlocated(_) => io::ErrorKind::NotFound,
            Self::Disabled => io::ErrorKind::Unsupported,
            Self::DisableValue { .. } => io::ErrorKind::InvalidInput,
            Self::Garbage(_) => io::ErrorKind::InvalidData,
            Self::Closed(_) => io_kind_or(self, io::ErrorKind::UnexpectedEof),
            Self::Backend(error) => error.kind(),
            Self::Absent(error) | Self::Unreachable(error) | Self::BackendGone(error) => error.kind(),
            Self::Thread(_) => io::ErrorKind::Other,
        }
    }

    /// Returns the failure as one word, for programs.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Absent(_) => "absent",
            Self::Unreachable(_) => "unreachable",
            Self::Silent(_) => "silent",
            Self::StillSilent => "still-silent",
            Self::Crowded(_) => "crowded",
            Self::Closed(_) => "closed",
            Self::Garbage(_) => "garbage",
            Self::NoBackend => "no-backend",
            Self::BackendGone(_) => "backend-gone",
            Self::Backend(_) => "backend-unusable",
            Self::Disabled => "disabled",
            Self::DisableValue { .. } => "disable-value",
            Self::Unlocated(_) => "unlocated",
            Self::Thread(_) => "thread",
        }
    }

    /// Returns the broker's refusal, if the broker refused.
    #[must_use]
    pub const fn refusal(&self) -> Option<&BrokerRefusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }
}

impl LaneFailure {
    /// Converts running-process's error.
    ///
    /// `waited` is the time that the broker had.
    #[must_use]
    pub fn of_adopt(error: AdoptError, waited: Duration) -> Self {
        match error {
            AdoptError::BrokerDisabled => Self::Disabled,
            AdoptError::DisableEnv(error) => Self::DisableValue { value: error.value },
            AdoptError::AsyncJoin(text) => Self::Thread(text),
            AdoptError::Connect(error) => of_client_error(error, waited),
        }
    }
}

/// The kind of an adoption's failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AdoptFailure {
    /// `RUNNING_PROCESS_DISABLE` is `1`.
    Disabled,
    /// `RUNNING_PROCESS_DISABLE` has another value.
    DisableValue,
    /// The broker refused.
    Refused(RefusalKind),
    /// No broker listens.
    Absent,
    /// The broker did not answer in time.
    Silent,
    /// Connecting to the broker failed for another reason.
    Unreachable,
    /// Connecting to the broker's backend failed.
    BackendGone,
    /// The broker named no backend.
    NoBackend,
    /// The broker closed the connection before it had answered.
    Closed,
    /// The broker sent something that is not an answer.
    Garbage,
    /// The thread of the adoption failed.
    Thread,
}

/// Returns the kind of running-process's error, which the caller keeps.
///
/// [`LaneFailure::of_adopt`] takes the error and keeps its causes.
#[must_use]
pub fn classify_adopt_error(error: &AdoptError) -> AdoptFailure {
    match error {
        AdoptError::BrokerDisabled => AdoptFailure::Disabled,
        AdoptError::DisableEnv(_) => AdoptFailure::DisableValue,
        AdoptError::AsyncJoin(_) => AdoptFailure::Thread,
        AdoptError::Connect(error) => match error {
            BrokerClientError::Refused { code, .. } => AdoptFailure::Refused(RefusalKind::of(*code)),
            BrokerClientError::BrokerConnect(error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => AdoptFailure::Absent,
                io::ErrorKind::TimedOut => AdoptFailure::Silent,
                _ => AdoptFailure::Unreachable,
            },
            BrokerClientError::BackendConnect(_) => AdoptFailure::BackendGone,
            BrokerClientError::EmptyBackendPipe => AdoptFailure::NoBackend,
            BrokerClientError::Framing(FramingError::UnexpectedEof { .. } | FramingError::Io(_)) => {
                AdoptFailure::Closed
            }
            BrokerClientError::Framing(_)
            | BrokerClientError::DecodeFrame(_)
            | BrokerClientError::DecodeHelloReply(_)
            | BrokerClientError::DecodeAdminReply(_)
            | BrokerClientError::UnexpectedResponseFrame(_)
            | BrokerClientError::MissingHelloReplyResult => AdoptFailure::Garbage,
        },
    }
}

impl AdoptFailure {
    /// Returns the word of [`LaneFailure::label`].
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::DisableValue => "disable-value",
            Self::Refused(_) => "refused",
            Self::Absent => "absent",
            Self::Silent => "silent",
            Self::Unreachable => "unreachable",
            Self::BackendGone => "backend-gone",
            Self::NoBackend => "no-backend",
            Self::Closed => "closed",
            Self::Garbage => "garbage",
            Self::Thread => "thread",
        }
    }
}

fn of_client_error(error: BrokerClientError, waited: Duration) -> LaneFailure {
    match error {
        BrokerClientError::Refused { code, reason, retry_after_ms } => {
            LaneFailure::Refused(BrokerRefusal::new(code, reason, retry_after_ms))
        }
        BrokerClientError::BrokerConnect(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => LaneFailure::Absent(error),
            io::ErrorKind::TimedOut => LaneFailure::Silent(waited),
            _ => LaneFailure::Unreachable(error),
        },
        BrokerClientError::BackendConnect(error) => LaneFailure::BackendGone(error),
        BrokerClientError::EmptyBackendPipe => LaneFailure::NoBackend,
        BrokerClientError::Framing(FramingError::UnexpectedEof { .. } | FramingError::Io(_)) => {
            LaneFailure::Closed(Box::new(error))
        }
        BrokerClientError::Framing(_)
        | BrokerClientError::DecodeFrame(_)
        | BrokerClientError::DecodeHelloReply(_)
        | BrokerClientError::DecodeAdminReply(_)
        | BrokerClientError::UnexpectedResponseFrame(_)
        | BrokerClientError::MissingHelloReplyResult => LaneFailure::Garbage(Box::new(error)),
    }
}

#[cfg(test)]
mod tests {
    use running_process::broker::client::BrokerDisableEnvError;
    use running_process::broker::protocol::ErrorCode;

    use super::*;

    #[test]
    fn every_error_of_an_adoption_has_its_word() {
        let check = |error: AdoptError, expected: &str| {
            let shown = error.to_string();
            assert_eq!(classify_adopt_error(&error).label(), expected, "{shown}");
            assert_eq!(LaneFailure::of_adopt(error, Duration::ZERO).label(), expected, "{shown}");
        };
        let client = |error: BrokerClientError, expected: &str| check(error.into(), expected);
        let io = |kind: io::ErrorKind| io::Error::from(kind);
        check(AdoptError::BrokerDisabled, "disabled");
        check(BrokerDisableEnvError { value: "0".to_owned() }.into(), "disable-value");
        check(AdoptError::AsyncJoin("panic".to_owned()), "thread");
        client(BrokerClientError::BrokerConnect(io(io::ErrorKind::NotFound)), "absent");
        client(BrokerClientError::BrokerConnect(io(io::ErrorKind::ConnectionRefused)), "absent");
        client(BrokerClientError::BrokerConnect(io(io::ErrorKind::TimedOut)), "silent");
        client(BrokerClientError::BrokerConnect(io(io::ErrorKind::PermissionDenied)), "unreachable");
        client(BrokerClientError::BackendConnect(io(io::ErrorKind::NotFound)), "backend-gone");
        client(BrokerClientError::EmptyBackendPipe, "no-backend");
        client(FramingError::UnexpectedEof { context: "body" }.into(), "closed");
        client(FramingError::Io(io(io::ErrorKind::ConnectionReset)).into(), "closed");
        client(FramingError::FrameTooLarge { body_length: 1, cap: 0 }.into(), "garbage");
        client(FramingError::UnsupportedFramingVersion { got: 9, expected: 1 }.into(), "garbage");
        client(BrokerClientError::UnexpectedResponseFrame("kind"), "garbage");
        client(BrokerClientError::MissingHelloReplyResult, "garbage");
    }

    #[test]
    fn every_code_that_running_process_knows_is_a_refusal_of_its_own() {
        let codes = [
            (ErrorCode::ErrorVersionUnsupported, RefusalKind::VersionUnsupported),
            (ErrorCode::ErrorVersionBlocked, RefusalKind::VersionBlocked),
            (ErrorCode::ErrorServiceUnknown, RefusalKind::ServiceUnknown),
            (ErrorCode::ErrorRateLimited, RefusalKind::RateLimited),
            (ErrorCode::ErrorShuttingDown, RefusalKind::ShuttingDown),
            (ErrorCode::ErrorBackendSpawnFailed, RefusalKind::BackendSpawnFailed),
            (ErrorCode::ErrorPeerRejected, RefusalKind::PeerRejected),
            (ErrorCode::ErrorInternal, RefusalKind::Internal),
            (ErrorCode::ErrorFdPressure, RefusalKind::FdPressure),
            (ErrorCode::Unspecified, RefusalKind::Unspecified),
        ];
        assert_eq!(codes.map(|(_, kind)| kind), RefusalKind::ALL);
        // Codes are numbered consecutively, so a new code would be the next number.
        let next = codes.iter().map(|(code, _)| *code as i32).max().unwrap() + 1;
        assert!(ErrorCode::try_from(next).is_err(), "running-process knows a code more than this table");
        for (code, kind) in codes {
            let refused =
                |retry_after_ms| BrokerClientError::Refused { code, reason: "so".to_owned(), retry_after_ms };
            assert_eq!(classify_adopt_error(&refused(0).into()), AdoptFailure::Refused(kind));
            let failure = LaneFailure::of_adopt(refused(0).into(), Duration::ZERO);
            let expected = BrokerRefusal { kind, reason: "so".to_owned(), retry_after: None };
            assert_eq!(failure.refusal(), Some(&expected));
            assert_eq!(failure.to_string(), format!("the broker refused ({kind}): so"));
            let failure = LaneFailure::of_adopt(refused(1500).into(), Duration::ZERO);
            assert_eq!(failure.refusal().unwrap().retry_after, Some(Duration::from_millis(1500)));
            assert!(failure.to_string().ends_with(": so (ask again in 1500 ms)"), "{failure}");
        }
    }
}
