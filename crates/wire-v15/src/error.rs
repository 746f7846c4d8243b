//! Why a message could not be written or read.

use std::str::Utf8Error;

use ipc_model::NotUtf8;
use thiserror::Error;
use wire_frame::{FrameError, Version};

/// The caller's message cannot go on this wire. Nothing was sent.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The frame would be above the limit.
    #[error("message too large: {length} bytes")]
    TooLong {
        /// What the length field would say.
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
        /// The first bincode header number with such a message.
        since: Version,
    },
    /// Anything else that the encoder says.
    #[error("cannot encode a {message}")]
    Body {
        /// The kind of message.
        message: &'static str,
        /// What the encoder says.
        source: bincode::Error,
    },
}

impl From<FrameError> for EncodeError {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::TooLong { length } => Self::TooLong { length },
            FrameError::TooShort { length } => Self::TooLong { length: length.into() },
        }
    }
}

/// The peer sent bytes that are no message.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The frame's length is illegal; the stream cannot go on.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The frame is of another wire.
    #[error("protocol version mismatch: expected {expected}, received {received}")]
    Version {
        /// The version that was read.
        expected: Version,
        /// The version in the frame's header.
        received: Version,
    },
    /// A variant number that the wire table does not have.
    #[error("{message} {index} is not known")]
    UnknownVariant {
        /// The kind of message.
        message: &'static str,
        /// The number.
        index: u32,
    },
    /// The body ends before the message does.
    #[error("a {message} ends too early")]
    Truncated {
        /// The kind of message.
        message: &'static str,
    },
    /// Text that is not UTF-8.
    #[error("a {message} holds text that is not UTF-8")]
    Utf8 {
        /// The kind of message.
        message: &'static str,
        /// Where.
        source: Utf8Error,
    },
    /// A truth value that is neither 0 nor 1.
    #[error("a {message} holds the truth value {value}")]
    Bool {
        /// The kind of message.
        message: &'static str,
        /// The byte.
        value: u8,
    },
    /// An optional whose tag is neither 0 nor 1.
    #[error("a {message} holds the optional tag {tag}")]
    OptionalTag {
        /// The kind of message.
        message: &'static str,
        /// The byte.
        tag: usize,
    },
    /// Anything else that the decoder says.
    #[error("a {message} cannot be read")]
    Body {
        /// The kind of message.
        message: &'static str,
        /// What the decoder says.
        source: bincode::Error,
    },
}

impl DecodeError {
    pub(crate) fn of_bincode(message: &'static str, error: bincode::ErrorKind) -> Self {
        use bincode::ErrorKind;
        match error {
            ErrorKind::InvalidUtf8Encoding(source) => Self::Utf8 { message, source },
            ErrorKind::InvalidBoolEncoding(value) => Self::Bool { message, value },
            ErrorKind::InvalidTagEncoding(tag) => Self::OptionalTag { message, tag },
            // A limit is only reached by a length that reaches beyond the frame.
            ErrorKind::SizeLimit => Self::Truncated { message },
            ErrorKind::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                Self::Truncated { message }
            }
            other => Self::Body { message, source: Box::new(other) },
        }
    }
}
