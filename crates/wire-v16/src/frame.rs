//! A message to a complete frame of wire v16, and back.

use bytes::{Buf as _, Bytes, BytesMut};
use wire_frame::{HEADER_LEN, Header, Peeked, Pieces};

use crate::body::{Measured, all_in};
use crate::{DecodeError, Decoded, EncodeError, Generation, Message, decode_body};

/// Returns the frame of `message` under number 16.
///
/// # Errors
///
/// As [`encode_into`].
pub fn encode<M: Message>(message: &M, request_id: &str) -> Result<Bytes, EncodeError> {
    let mut buffer = BytesMut::new();
    encode_into(message, request_id, &mut buffer)?;
    Ok(buffer.freeze())
}

/// Returns the frame of `message` in this generation.
///
/// # Errors
///
/// As [`encode_pieces_in`].
pub fn encode_in<M: Message>(
    message: &M,
    request_id: &str,
    generation: Generation,
) -> Result<Bytes, EncodeError> {
    let mut buffer = BytesMut::new();
    all_in(&mut buffer, |pieces| encode_pieces_in(message, request_id, generation, pieces))?;
    Ok(buffer.freeze())
}

/// Appends the frame of `message` with number 16 to `buffer`.
///
/// An error leaves `buffer` unchanged.
///
/// # Errors
///
/// [`EncodeError::TooLong`] above 16 MiB and [`EncodeError::Path`] for a path that is not UTF-8;
/// nothing has been sent then, and the connection is as usable as before.
pub fn encode_into<M: Message>(
    message: &M,
    request_id: &str,
    buffer: &mut BytesMut,
) -> Result<(), EncodeError> {
    all_in(buffer, |pieces| encode_pieces(message, request_id, pieces))
}

/// Appends the frame of `message` to `pieces` and shares its large byte strings.
///
/// # Errors
///
/// As [`encode_into`].
pub fn encode_pieces<M: Message>(
    message: &M,
    request_id: &str,
    pieces: &mut Pieces,
) -> Result<(), EncodeError> {
    encode_pieces_in(message, request_id, Generation::V16, pieces)
}

/// Appends the frame of `message` in this generation, as [`encode_pieces`].
///
/// # Errors
///
/// As [`encode_into`], and [`EncodeError::NotCarried`] for a message that the generation does not have.
pub fn encode_pieces_in<M: Message>(
    message: &M,
    request_id: &str,
    generation: Generation,
    pieces: &mut Pieces,
) -> Result<(), EncodeError> {
    if message.since() > generation {
        let (version, since) = (generation.version(), message.since().version());
        return Err(EncodeError::NotCarried { message: M::NAME, version, since });
    }
    let body = Measured::new(message, request_id)?;
    let header = Header::new(generation.version(), body.len())?;
    pieces.reserve(header.frame_len());
    pieces.copied().extend_from_slice(&header.to_bytes());
    body.write(pieces);
    Ok(())
}

/// Removes one complete frame with number 16 from `buffer` and decodes it.
///
/// # Errors
///
/// As [`decode_frame_in`].
pub fn decode_frame<M: Message>(buffer: &mut Bytes) -> Result<Option<Decoded<M>>, DecodeError> {
    decode_frame_in(buffer, Generation::V16)
}

/// Removes one complete frame of this generation from `buffer` and decodes it.
///
/// Returns `Ok(None)` and removes nothing until the frame is complete. A complete frame is removed even if
/// its body cannot be decoded. This is the v16-only decoder of `docs/spec/wire.md#first-bytes`; unlike that
/// one, it refuses an unknown version before the body has arrived.
///
/// # Errors
///
/// [`DecodeError`].
pub fn decode_frame_in<M: Message>(
    buffer: &mut Bytes,
    generation: Generation,
) -> Result<Option<Decoded<M>>, DecodeError> {
    let header = match Header::peek(buffer)? {
        Peeked::Incomplete { .. } => return Ok(None),
        Peeked::Header(header) => header,
    };
    if header.version() != generation.version() {
        buffer.advance(header.frame_len().min(buffer.len()));
        return Err(DecodeError::Version { expected: generation.version(), received: header.version() });
    }
    if buffer.len() < header.frame_len() {
        return Ok(None);
    }
    let mut frame = buffer.split_to(header.frame_len());
    frame.advance(HEADER_LEN);
    decode_body(frame).map(Some)
}
