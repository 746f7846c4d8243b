//! A frame's payload to a message.

use bincode::Options as _;
use bytes::{Buf as _, Bytes};
use wire_frame::MAX_LENGTH;

use crate::shape::{Body, In, Message};
use crate::{DecodeError, Generation};

/// Reads the message at the start of `payload`, the bytes after a header of number 15.
///
/// # Errors
///
/// As [`decode_in`].
pub fn decode<M: Message>(payload: &Bytes) -> Result<M, DecodeError> {
    decode_in(payload, Generation::V15)
}

/// Reads the message at the start of `payload`, the bytes after a header of this generation.
///
/// Bytes after the message are accepted and ignored, as released peers do.
///
/// Rule: `docs/spec/wire-v15.md#reader-rules`.
///
/// # Errors
///
/// [`DecodeError`]; never a panic, and never more memory than the payload accounts for.
pub fn decode_in<M: Message>(payload: &Bytes, generation: Generation) -> Result<M, DecodeError> {
    read(payload, Body { shared: Some(payload), generation })
}

/// As [`decode_in`], with a copy of everything: for frames that are shorter than what would be shared.
///
/// # Errors
///
/// As [`decode_in`].
pub fn decode_copied_in<M: Message>(payload: &[u8], generation: Generation) -> Result<M, DecodeError> {
    read(payload, Body { shared: None, generation })
}

fn read<M: Message>(payload: &[u8], body: Body<'_>) -> Result<M, DecodeError> {
    // The number comes first, so that an unknown one is told apart without reading a library's prose.
    if let Some(&index) = payload.first_chunk::<4>() {
        let index = u32::from_le_bytes(index);
        if index >= M::variants(body.generation) {
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

/// Reads one complete frame of number 15 from the front of `buffer` and takes it off.
///
/// # Errors
///
/// As [`decode_frame_in`].
pub fn decode_frame<M: Message>(buffer: &mut Bytes) -> Result<Option<M>, DecodeError> {
    decode_frame_in(buffer, Generation::V15)
}

/// Reads one complete frame of this generation from the front of `buffer` and takes it off.
///
/// `Ok(None)` means that more bytes must arrive; nothing is taken then. A complete frame is taken
/// even when its body is an error. This is the bincode-only decoder of `docs/spec/wire.md#first-bytes`, but for
/// the version, which is refused as soon as it is there.
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
