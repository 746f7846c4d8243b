//! The body that wire v16 and the FrameV1 lane have in common.

use bytes::{Buf, Bytes, BytesMut};
use prost::Message as _;
use wire_frame::Pieces;

use crate::plain;
use crate::shape::{LEN, Message, Out, key_len, put_key, put_varint, varint_len};
use crate::{ConvertError, DecodeError, EncodeError};

/// A body that is protobuf of the schema.
///
/// The id is there even where the message is not, so that the refusal can carry it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded<M, E = ConvertError> {
    /// The message, or the error that refused it.
    pub message: Result<M, E>,
    /// The inner id: any text, also the empty one.
    pub request_id: String,
}

/// Appends the body of `message` to `buffer`; on an error `buffer` is as it was.
///
/// # Errors
///
/// [`EncodeError::TooLong`] where no frame can hold it and [`EncodeError::Path`] for a path that is not
/// UTF-8; nothing has been sent then.
pub fn encode_body<M: Message>(
    message: &M,
    request_id: &str,
    buffer: &mut BytesMut,
) -> Result<(), EncodeError> {
    let body = Measured::new(message, request_id)?;
    let length = body.len() as u64;
    if length > u64::from(wire_frame::MAX_LENGTH) {
        return Err(EncodeError::TooLong { length });
    }
    buffer.reserve(body.len());
    all_in(buffer, |pieces| body.write(pieces));
    Ok(())
}

/// Decodes the body in `payload`.
///
/// Byte strings of at least [`SHARED_FROM`](crate::SHARED_FROM) bytes share the memory of `payload`.
/// Unknown fields are ignored, and the last of several members counts (`docs/spec/wire-v16.md#encoding`).
/// Paths are normalised.
///
/// # Errors
///
/// [`DecodeError::Body`] for what is not protobuf of the schema, [`DecodeError::Lists`] for what would
/// take more memory than a frame accounts for; never a panic.
pub fn decode_body<M: Message>(payload: Bytes) -> Result<Decoded<M>, DecodeError> {
    Ok(converted(read::<M>(payload)?))
}

/// Decodes as [`decode_body`] and copies every byte string.
///
/// For bodies below [`SHARED_FROM`](crate::SHARED_FROM), whose buffer the caller uses again.
///
/// # Errors
///
/// As [`decode_body`].
pub fn decode_body_copied<M: Message>(payload: &[u8]) -> Result<Decoded<M>, DecodeError> {
    if !M::too_heavy(payload)
        && let Some(read) = plain::body::<M>(payload)
    {
        return Ok(converted(read));
    }
    Ok(converted(read::<M>(payload)?))
}

/// Converts what prost read.
pub(crate) fn converted<M: Message>((member, request_id): (Option<M::Member>, String)) -> Decoded<M> {
    let message = match member {
        Some(member) => M::of_member(member),
        None => Err(ConvertError::NoBody { message: M::NOUN }),
    };
    Decoded { message, request_id }
}

/// Reads the body in `payload` as the schema has it: its member, and its id.
pub(crate) fn read<M: Message>(
    payload: impl Buf + AsRef<[u8]>,
) -> Result<(Option<M::Member>, String), DecodeError> {
    if M::too_heavy(payload.as_ref()) {
        return Err(DecodeError::Lists { message: M::NAME });
    }
    let wire = M::Wire::decode(payload).map_err(|source| DecodeError::Body { message: M::NAME, source })?;
    Ok(M::split(wire))
}

/// Runs `write` on pieces that copy everything into `buffer`.
pub(crate) fn all_in<T>(buffer: &mut BytesMut, write: impl FnOnce(&mut Pieces) -> T) -> T {
    let mut pieces = Pieces::all_in(std::mem::take(buffer));
    let result = write(&mut pieces);
    *buffer = pieces.into_buffer();
    result
}

/// A message that can be written, and how long its body is.
pub(crate) struct Measured<'a, M> {
    message: &'a M,
    request_id: &'a str,
    contents: usize,
}

impl<'a, M: Message> Measured<'a, M> {
    /// Measures, so that a length can be written before the bytes that it counts.
    pub(crate) fn new(message: &'a M, request_id: &'a str) -> Result<Self, EncodeError> {
        message.check_paths()?;
        Ok(Self { message, request_id, contents: message.contents_len() })
    }

    /// Bytes of the body.
    pub(crate) fn len(&self) -> usize {
        let member = key_len(self.message.number()) + varint_len(self.contents) + self.contents;
        member + self.request_id.field_len(M::REQUEST_ID)
    }

    /// Appends the body.
    pub(crate) fn write(&self, buffer: &mut Pieces) {
        put_key(self.message.number(), LEN, buffer);
        put_varint(self.contents as u64, buffer);
        self.message.put_contents(buffer);
        self.request_id.put_field(M::REQUEST_ID, buffer);
    }
}
