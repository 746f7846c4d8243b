//! Encodes a message into a complete frame.

use bincode::Options as _;
use bytes::{Bytes, BytesMut};
use wire_frame::{HEADER_LEN, Header, MAX_LENGTH, Pieces, Version};

use crate::bounded::{Bounded, Sharing};
use crate::shape::{Message, Out};
use crate::{EncodeError, Generation};

/// Room for a message without byte strings, so that most of them need one allocation.
const SMALL_MESSAGE: usize = 256;

/// Returns the frame of `message` with number 15.
///
/// # Errors
///
/// As [`encode_into`].
pub fn encode<M: Message>(message: &M) -> Result<Bytes, EncodeError> {
    let mut buffer = BytesMut::new();
    encode_into(message, &mut buffer)?;
    Ok(buffer.freeze())
}

/// Returns the frame of `message` in this generation.
///
/// # Errors
///
/// As [`encode_into`], and [`EncodeError::NotCarried`].
pub fn encode_in<M: Message>(message: &M, generation: Generation) -> Result<Bytes, EncodeError> {
    let mut pieces = Pieces::all_in(BytesMut::new());
    encode_pieces_in(message, generation, &mut pieces)?;
    Ok(pieces.into_buffer().freeze())
}

/// Appends the frame of `message` with number 15 to `buffer`.
///
/// An error leaves `buffer` unchanged.
///
/// # Errors
///
/// [`EncodeError::TooLong`] above 16 MiB and [`EncodeError::Path`] for a path that is not UTF-8;
/// nothing has been sent then, and the connection is as usable as before.
pub fn encode_into<M: Message>(message: &M, buffer: &mut BytesMut) -> Result<(), EncodeError> {
    let mut pieces = Pieces::all_in(std::mem::take(buffer));
    let result = encode_pieces(message, &mut pieces);
    *buffer = pieces.into_buffer();
    result
}

/// Appends the frame of `message` to `pieces` and shares its large byte strings.
///
/// An error leaves `pieces` unchanged.
///
/// # Errors
///
/// As [`encode_into`].
pub fn encode_pieces<M: Message>(message: &M, pieces: &mut Pieces) -> Result<(), EncodeError> {
    encode_pieces_in(message, Generation::V15, pieces)
}

/// Appends the frame of `message` in this generation, as [`encode_pieces`].
///
/// # Errors
///
/// As [`encode_into`], and [`EncodeError::NotCarried`] for a message that the generation does not have.
pub fn encode_pieces_in<M: Message>(
    message: &M,
    generation: Generation,
    pieces: &mut Pieces,
) -> Result<(), EncodeError> {
    if !carries(message, generation) {
        let (version, since) = (generation.version(), message.since().version());
        return Err(EncodeError::NotCarried { message: M::NAME, version, since });
    }
    let bulk = message.bulk();
    let room = MAX_LENGTH as usize - size_of::<Version>();
    let (start, mark) = (pieces.len(), pieces.mark());
    if bulk <= room {
        let mut large = Vec::new();
        let copied = if pieces.shares(bulk) {
            message.large(Pieces::SHARED_FROM, &mut large);
            bulk - large.iter().map(|bytes| bytes.len()).sum::<usize>()
        } else {
            bulk
        };
        pieces.copied().reserve(HEADER_LEN + copied + SMALL_MESSAGE);
        pieces.copied().extend_from_slice(&[0; HEADER_LEN]);
        let options = bincode::DefaultOptions::new().with_fixint_encoding();
        let written = if large.is_empty() {
            options.serialize_into(Bounded::new(pieces.copied(), room), &Out(message, generation))
        } else {
            options.serialize_into(Sharing::new(pieces, room, &large), &Out(message, generation))
        };
        if written.is_ok() {
            let header = Header::new(generation.version(), pieces.len() - start - HEADER_LEN)?;
            pieces.overwrite(mark, 0, &header.to_bytes());
            return Ok(());
        }
        pieces.truncate(mark);
    }
    Err(why_not(message, generation))
}

/// Returns true if a daemon of `generation` knows messages like `message`.
pub fn carries<M: Message>(message: &M, generation: Generation) -> bool {
    generation.has(message.since())
}

/// Returns the total length of the byte strings in `message`.
///
/// A cheap estimate of the frame length: only byte strings make a frame large.
pub fn bulk<M: Message>(message: &M) -> usize {
    message.bulk()
}

/// Returns the memory of the texts, paths and lists in `message`, in bytes.
///
/// About the memory that a decoder copied out of the frame: strings by their length, lists by their capacity.
/// Byte strings are not counted; see [`bulk`].
pub fn texts<M: Message>(message: &M) -> usize {
    message.texts()
}

/// Returns the reason why a message could not be encoded.
fn why_not<M: Message>(message: &M, generation: Generation) -> EncodeError {
    if let Err(path) = message.check_paths() {
        return path.into();
    }
    match bincode::DefaultOptions::new().with_fixint_encoding().serialized_size(&Out(message, generation)) {
        Ok(payload) => EncodeError::TooLong { length: payload.saturating_add(size_of::<Version>() as u64) },
        Err(source) => EncodeError::Body { message: M::NAME, source },
    }
}
