//! Errors of the bodies, whichever wire they are of.

use ipc_model::{NotUtf8, RequestKind};
use thiserror::Error;
use wire_frame::Version;

use crate::CutError;
use crate::MAX_REQUEST_ID;

/// The caller's message cannot go on this lane. Nothing was sent.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The frame would be above the limit.
    #[error("message too large: {length} bytes")]
    TooLong {
        /// The length field that the frame would need.
        length: u64,
    },
    /// A path that is not valid Unicode.
    #[error(transparent)]
    Path(#[from] NotUtf8),
    /// The peer's generation does not have such a message.
    #[error("a peer of protocol {version} does not know this {message}; protocol {since} does")]
    NotCarried {
        /// The kind of message.
        message: &'static str,
        /// The peer's header number.
        version: Version,
        /// The first header number of the lane with such a message.
        since: Version,
    },
    /// Anything else that the encoder of wire v15 says.
    #[error(transparent)]
    V15(wire_v15::EncodeError),
    /// Anything else that the encoder of wire v16 says.
    #[error(transparent)]
    V16(wire_v16::EncodeError),
}

/// The peer's bytes are no message of ours.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// No frame of a lane that is spoken. The stream cannot go on.
    #[error(transparent)]
    Cut(#[from] CutError),
    /// A body that is no message of wire v15.
    #[error(transparent)]
    V15(#[from] wire_v15::DecodeError),
    /// A body or an envelope that is no message of wire v16.
    #[error(transparent)]
    V16(#[from] wire_v16::DecodeError),
    /// An inner id that is longer than a server echoes.
    #[error("the request id has {length} bytes, and {} are allowed", MAX_REQUEST_ID)]
    RequestId {
        /// Its length in bytes.
        length: usize,
    },
    /// A request that the header number does not have. Its reply could not be sent. The stream goes on.
    #[error("protocol {version} has no {request} request")]
    NotCarried {
        /// The request.
        request: RequestKind,
        /// The header number of its frame.
        version: Version,
    },
    /// Protobuf of the right schema that is no value of the model. The stream goes on.
    #[error(transparent)]
    Convert(#[from] wire_v16::ConvertError),
}

impl From<wire_v15::EncodeError> for EncodeError {
    fn from(error: wire_v15::EncodeError) -> Self {
        match error {
            wire_v15::EncodeError::TooLong { length } => Self::TooLong { length },
            wire_v15::EncodeError::Path(path) => Self::Path(path),
            wire_v15::EncodeError::NotCarried { message, version, since } => {
                Self::NotCarried { message, version, since }
            }
            other => Self::V15(other),
        }
    }
}

impl From<wire_v16::EncodeError> for EncodeError {
    fn from(error: wire_v16::EncodeError) -> Self {
        match error {
            wire_v16::EncodeError::TooLong { length } => Self::TooLong { length },
            wire_v16::EncodeError::Path(path) => Self::Path(path),
            wire_v16::EncodeError::NotCarried { message, version, since } => {
                Self::NotCarried { message, version, since }
            }
            other => Self::V16(other),
        }
    }
}

impl DecodeError {
    /// Returns true if the frame was removed, so that the next one can be read.
    #[must_use]
    pub const fn is_recoverable(&self) -> bool {
        matches!(self, Self::Convert(_) | Self::NotCarried { .. })
    }
}
