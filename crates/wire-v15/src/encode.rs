//! A message to a complete frame.

use bincode::Options as _;
use bytes::{Bytes, BytesMut};
use wire_frame::{HEADER_LEN, Header, MAX_LENGTH, Version};

use crate::EncodeError;
use crate::bounded::Bounded;
use crate::shape::{Message, Out};

/// Room for a message without byte strings, so that most of them need one allocation.
const SMALL_MESSAGE: usize = 256;

/// Returns the frame of `message`.
///
/// # Errors
///
/// As [`encode_into`].
pub fn encode<M: Message>(message: &M) -> Result<Bytes, EncodeError> {
    let mut buffer = BytesMut::new();
    encode_into(message, &mut buffer)?;
    Ok(buffer.freeze())
}

/// Appends the frame of `message` to `buffer`; on an error `buffer` is as it was.
///
/// # Errors
///
/// [`EncodeError::TooLong`] above 16 MiB and [`EncodeError::Path`] for a path that is not UTF-8;
/// nothing has been sent then, and the connection is as usable as before.
pub fn encode_into<M: Message>(message: &M, buffer: &mut BytesMut) -> Result<(), EncodeError> {
    let bulk = message.bulk();
    let room = MAX_LENGTH as usize - size_of::<Version>();
    let start = buffer.len();
    if bulk <= room {
        buffer.reserve(HEADER_LEN + bulk + SMALL_MESSAGE);
        buffer.extend_from_slice(&[0; HEADER_LEN]);
        let written = bincode::DefaultOptions::new()
            .with_fixint_encoding()
            .serialize_into(Bounded::new(buffer, room), &Out(message));
        if written.is_ok() {
            let header = Header::new(Version::V15, buffer.len() - start - HEADER_LEN)?;
            buffer[start..start + HEADER_LEN].copy_from_slice(&header.to_bytes());
            return Ok(());
        }
        buffer.truncate(start);
    }
    Err(why_not(message))
}

/// Returns how many bytes of byte strings `message` holds: what can make its frame large, at no cost.
pub fn bulk<M: Message>(message: &M) -> usize {
    message.bulk()
}

/// Finds out why a message cannot be encoded; only asked when it could not.
fn why_not<M: Message>(message: &M) -> EncodeError {
    if let Err(path) = message.check_paths() {
        return path.into();
    }
    match bincode::DefaultOptions::new().with_fixint_encoding().serialized_size(&Out(message)) {
        Ok(payload) => EncodeError::TooLong { length: payload.saturating_add(size_of::<Version>() as u64) },
        Err(source) => EncodeError::Body { message: M::NAME, source },
    }
}
