//! Lengths that make a stream of frames unusable.

use thiserror::Error;

/// A length that no legal frame has. The stream cannot be resynchronised after it.
///
/// Released peers use the same texts (`docs/spec/wire.md#texts-of-errors`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameError {
    /// The length is above [`MAX_LENGTH`](crate::MAX_LENGTH).
    #[error("message too large: {length} bytes")]
    TooLong {
        /// The length field: the version's four bytes and the payload.
        length: u64,
    },
    /// The length is less than the four bytes of the version.
    #[error("frame too small for protocol version")]
    TooShort {
        /// The length field.
        length: u32,
    },
}
