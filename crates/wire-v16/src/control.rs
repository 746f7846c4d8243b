//! The control slice: the few messages that the control round trips accept.
//!
//! Rule: `docs/spec/wire.md#control-slice`.
//!
//! A filter for the client's side. It looks at which message it is before it looks at what is in it, so a
//! message that does not belong is refused as such even where it cannot be converted.

use std::fmt::{self, Write as _};

use bytes::Bytes;
use ipc_model::{RequestKind, ResponseKind};
use thiserror::Error;

use crate::body::read;
use crate::{ConvertError, DecodeError, Decoded, Message};

/// A message that the control slice does not accept.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ControlError {
    /// There is no message at all.
    #[error("unsupported v16 prost {message}: missing {message} body; only {accepted} are accepted")]
    NoBody {
        /// `request` or `response`.
        message: &'static str,
        /// The accepted values.
        accepted: &'static str,
    },
    /// A message of another kind.
    #[error("unsupported v16 prost control {message} body {body}")]
    Unsupported {
        /// `request` or `response`.
        message: &'static str,
        /// The start of what it is.
        body: String,
    },
    /// It belongs, and cannot be converted.
    #[error(transparent)]
    Convert(#[from] ConvertError),
}

/// Returns true if the control slice has requests of this kind.
#[must_use]
pub const fn accepts_request(kind: RequestKind) -> bool {
    use RequestKind as Kind;
    matches!(kind, Kind::Ping | Kind::Status | Kind::Shutdown | Kind::Clear | Kind::ReleaseWorktreeHandles)
}

/// Returns true if the control slice has responses of this kind.
#[must_use]
pub const fn accepts_response(kind: ResponseKind) -> bool {
    use ResponseKind as Kind;
    matches!(
        kind,
        Kind::Pong
            | Kind::ShuttingDown
            | Kind::Status
            | Kind::Cleared
            | Kind::Error
            | Kind::ReleaseWorktreeHandlesResult
    )
}

pub(crate) const REQUESTS: &str = "Ping, Status, Shutdown, Clear and ReleaseWorktreeHandles";
pub(crate) const RESPONSES: &str =
    "Pong, ShuttingDown, Status, Cleared, Error and ReleaseWorktreeHandlesResult";

/// Decodes a body of the control slice, and refuses every other message.
///
/// Decodes as [`decode_body`](crate::decode_body).
///
/// # Errors
///
/// As [`decode_body`](crate::decode_body).
pub fn decode_body<M: Message>(payload: Bytes) -> Result<Decoded<M, ControlError>, DecodeError> {
    Ok(of_slice(read::<M>(payload)?))
}

/// Converts a generated message, if the control slice has it.
pub fn from_wire<M: Message>(wire: M::Wire) -> Decoded<M, ControlError> {
    of_slice(M::split(wire))
}

fn of_slice<M: Message>((member, request_id): (Option<M::Member>, String)) -> Decoded<M, ControlError> {
    let message = match member {
        None => Err(ControlError::NoBody { message: M::NOUN, accepted: M::CONTROL }),
        Some(member) if !M::is_control(&member) => {
            Err(ControlError::Unsupported { message: M::NOUN, body: start_of(&member) })
        }
        Some(member) => M::of_member(member).map_err(ControlError::Convert),
    };
    Decoded { message, request_id }
}

/// The most characters of a foreign message that an error repeats.
const SHOWN: usize = 64;

fn start_of(member: &impl fmt::Debug) -> String {
    struct Start(String, usize);
    impl fmt::Write for Start {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            for character in text.chars() {
                self.1 = self.1.checked_sub(1).ok_or(fmt::Error)?;
                self.0.push(character);
            }
            Ok(())
        }
    }
    let mut start = Start(String::new(), SHOWN);
    if write!(start, "{member:?}").is_err() {
        start.0.push('…');
    }
    start.0
}
