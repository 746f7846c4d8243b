//! Why a message could not be written or read.

use ipc_model::NotUtf8;
use thiserror::Error;
use wire_frame::{FrameError, Version};

use crate::LIST_MEMORY;
use crate::envelope::{ENVELOPE_VERSION, FRAMING, PAYLOAD_PROTOCOL};

/// The caller's message cannot go on this wire. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The frame would be above the limit.
    #[error("message too large: {length} bytes")]
    TooLong {
        /// The length field that the frame would need.
        length: u64,
    },
    /// A path that is not valid Unicode: it is refused, never changed.
    #[error(transparent)]
    Path(#[from] NotUtf8),
    /// The peer's generation does not have such a message.
    #[error("a peer of protocol {version} does not know this {message}; protocol {since} does")]
    NotCarried {
        /// The kind of message.
        message: &'static str,
        /// The peer's header number.
        version: Version,
        /// The first protobuf header number with such a message.
        since: Version,
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
///
/// The texts are the detail of `docs/spec/wire.md#texts-of-errors`, where it gives one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
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
    /// The first byte is not the framing byte of an envelope.
    #[error("an envelope starts with the byte {FRAMING}, not with {byte}")]
    Framing {
        /// The byte.
        byte: u8,
    },
    /// The envelope is not protobuf.
    #[error("running-process Frame: not protobuf")]
    Envelope(#[source] prost::DecodeError),
    /// An envelope of another version than 1.
    #[error("unsupported running-process Frame envelope_version {received}")]
    EnvelopeVersion {
        /// The version.
        received: u32,
    },
    /// An envelope around a message of another protocol, for example of the identity probe.
    #[error(
        "running-process Frame payload_protocol {received:#06X} is not the zccache payload protocol \
         {PAYLOAD_PROTOCOL:#06X}"
    )]
    PayloadProtocol {
        /// The protocol's number.
        received: u32,
    },
    /// An envelope around neither a request nor a response.
    #[error("unsupported running-process Frame kind {received} on the zccache lane")]
    Kind {
        /// The kind's number.
        received: i32,
    },
    /// An envelope whose payload is packed.
    #[error("unsupported running-process Frame payload_encoding {received} on the zccache lane")]
    PayloadEncoding {
        /// The encoding's number.
        received: i32,
    },
    /// The body's lists would take more memory than [`LIST_MEMORY`].
    #[error("the lists of a {message} take more than {LIST_MEMORY} bytes")]
    Lists {
        /// The kind of message.
        message: &'static str,
    },
    /// The body is not protobuf of the schema.
    #[error("a {message} cannot be read")]
    Body {
        /// The kind of message.
        message: &'static str,
        /// prost's error.
        source: prost::DecodeError,
    },
}

const _: () = assert!(ENVELOPE_VERSION == 1, "the docs and texts above say so");
