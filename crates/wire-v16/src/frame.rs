//! A message to a complete frame of wire v16, and back.

use bytes::{Buf as _, Bytes, BytesMut};
use wire_frame::{HEADER_LEN, Header, Peeked, Pieces, Version};

use crate::body::Measured;
use crate::{DecodeError, Decoded, EncodeError, Message, decode_body};

/// Returns the frame of `message`.
///
/// # Errors
///
/// As [`encode_into`].
pub fn encode<M: Message>(message: &M, request_id: &str) -> Result<Bytes, EncodeError> {
    let mut buffer = BytesMut::new();
    encode_into(message, request_id, &mut buffer)?;
    Ok(buffer.freeze())
}

/// Appends the frame of `message` to `buffer`; on an error `buffer` is as it was.
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

/// Appends the frame of `message` to `pieces`, without a copy of its large byte strings.
///
/// # Errors
///
/// As [`encode_into`].
pub fn encode_pieces<M: Message>(
    message: &M,
    request_id: &str,
    pieces: &mut Pieces,
) -> Result<(), EncodeError> {
    let body = Measured::new(message, request_id)?;
    let header = Header::new(Version::V16, body.len())?;
    pieces.reserve(header.frame_len());
    pieces.copied().extend_from_slice(&header.to_bytes());
    body.write(pieces);
    Ok(())
}

/// Lets `write` append to `buffer`, with a copy of everything.
pub(crate) fn all_in<T>(buffer: &mut BytesMut, write: impl FnOnce(&mut Pieces) -> T) -> T {
    let mut pieces = Pieces::all_in(std::mem::take(buffer));
    let result = write(&mut pieces);
    *buffer = pieces.into_buffer();
    result
}

/// Reads one complete frame from the front of `buffer` and takes it off.
///
/// `Ok(None)` means that more bytes must arrive; nothing is taken then. A complete frame is taken even
/// when its body is an error. This is the v16-only decoder of `docs/spec/wire.md#first-bytes`, but for the
/// version, which is refused as soon as it is there.
///
/// # Errors
///
/// [`DecodeError`].
pub fn decode_frame<M: Message>(buffer: &mut Bytes) -> Result<Option<Decoded<M>>, DecodeError> {
    let header = match Header::peek(buffer)? {
        Peeked::Incomplete { .. } => return Ok(None),
        Peeked::Header(header) => header,
    };
    if header.version() != Version::V16 {
        buffer.advance(header.frame_len().min(buffer.len()));
        return Err(DecodeError::Version { received: header.version() });
    }
    if buffer.len() < header.frame_len() {
        return Ok(None);
    }
    let mut frame = buffer.split_to(header.frame_len());
    frame.advance(HEADER_LEN);
    decode_body(frame).map(Some)
}
