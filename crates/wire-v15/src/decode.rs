//! Decodes a message from the payload of a frame.

use bincode::Options as _;
use bytes::{Buf as _, Bytes};
use wire_frame::MAX_LENGTH;

use crate::shape::{Body, In, Message};
use crate::{DecodeError, Generation};

/// Decodes the message after a header with number 15.
///
/// `payload` starts right after the header.
///
/// # Errors
///
/// As [`decode_in`].
pub fn decode<M: Message>(payload: &Bytes) -> Result<M, DecodeError> {
    decode_in(payload, Generation::V15)
}

/// Decodes the message after a header of this generation.
///
/// `payload` starts right after the header. Bytes after the message are ignored, as released peers do.
///
/// Rule: `docs/spec/wire-v15.md#reader-rules`.
///
/// # Errors
///
/// [`DecodeError`]; never a panic, and never more memory than the payload accounts for.
pub fn decode_in<M: Message>(payload: &Bytes, generation: Generation) -> Result<M, DecodeError> {
    read(payload, Body { shared: Some(payload), generation })
}

/// Decodes as [`decode_in`] and copies every byte string.
///
/// For frames below [`SHARED_FROM`](crate::SHARED_FROM), whose buffer the caller uses again.
///
/// # Errors
///
/// As [`decode_in`].
pub fn decode_copied_in<M: Message>(payload: &[u8], generation: Generation) -> Result<M, DecodeError> {
    read(payload, Body { shared: None, generation })
}

fn read<M: Message>(payload: &[u8], body: Body<'_>) -> Result<M, DecodeError> {
    // Checked here, because bincode reports an unknown variant only as text.
    if let (Some(&index), Some(variants)) = (payload.first_chunk::<4>(), M::variants(body.generation)) {
        let index = u32::from_le_bytes(index);
        if index >= variants {
            return Err(DecodeError::UnknownVariant { message: M::NAME, index });
        }
    }
    bincode::DefaultOptions::new()
        .with_fixint_encoding()
        .with_limit(u64::from(MAX_LENGTH))
        .allow_trailing_bytes()
        .deserialize_seed(In::new(body), payload)
        .map_err(|error| DecodeError::of_bincode(M::NAME, *error))
}

/// Removes one complete frame with number 15 from `buffer` and decodes it.
///
/// # Errors
///
/// As [`decode_frame_in`].
pub fn decode_frame<M: Message>(buffer: &mut Bytes) -> Result<Option<M>, DecodeError> {
    decode_frame_in(buffer, Generation::V15)
}

/// Removes one complete frame of this generation from `buffer` and decodes it.
///
/// Returns `Ok(None)` and removes nothing until the frame is complete. A complete frame is removed even if
/// its body cannot be decoded. This is the bincode-only decoder of `docs/spec/wire.md#first-bytes`; unlike that
/// one, it refuses an unknown version before the body has arrived.
///
/// # Errors
///
/// [`DecodeError`].
pub fn decode_frame_in<M: Message>(
    buffer: &mut Bytes,
    generation: Generation,
) -> Result<Option<M>, DecodeError> {
    let header = match wire_frame::Header::peek(buffer)? {
        wire_frame::Peeked::Incomplete { .. } => return Ok(None),
        wire_frame::Peeked::Header(header) => header,
    };
    if header.version() != generation.version() {
        buffer.advance(header.frame_len().min(buffer.len()));
        return Err(DecodeError::Version { expected: generation.version(), received: header.version() });
    }
    if buffer.len() < header.frame_len() {
        return Ok(None);
    }
    let mut frame = buffer.split_to(header.frame_len());
    frame.advance(wire_frame::HEADER_LEN);
    decode_in(&frame, generation).map(Some)
}
