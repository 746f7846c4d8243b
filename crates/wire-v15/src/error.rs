//! Errors of encoding and decoding.

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
        /// The first bincode header number with such a message.
        since: Version,
    },
    /// Any other error of the encoder.
    #[error("cannot encode a {message}")]
    Body {
        /// The kind of message.
        message: &'static str,
        /// The encoder's error.
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

/// The peer sent bytes that are not a message.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The frame's length is invalid; the rest of the stream cannot be read.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The frame has another version.
    #[error("protocol version mismatch: expected {expected}, received {received}")]
    Version {
        /// The version that the decoder reads.
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
        /// The position of the fault.
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
    /// Any other error of the decoder.
    #[error("a {message} cannot be read")]
    Body {
        /// The kind of message.
        message: &'static str,
        /// The decoder's error.
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
            // Only a length that points beyond the frame reaches the limit.
            ErrorKind::SizeLimit => Self::Truncated { message },
            ErrorKind::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                Self::Truncated { message }
            }
            other => Self::Body { message, source: Box::new(other) },
        }
    }
}
