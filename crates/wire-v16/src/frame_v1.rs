//! The FrameV1 lane: the same bodies in an envelope of running-process (`docs/spec/frame-v1.md`).
//!
//! `[01][length: LE32][Frame]`, where the envelope holds the body without a header of its own.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use prost::Message as _;
use thiserror::Error;
use wire_frame::{FrameError, MAX_LENGTH, Pieces};

use crate::body::{Measured, all_in};
pub use crate::envelope::{ENVELOPE_VERSION, FRAMING, PAYLOAD_PROTOCOL};
use crate::generated::fields::running_process_broker_v1::Frame as numbers;
use crate::generated::running_process_broker_v1::{Frame, FrameKind, PayloadEncoding};
use crate::plain::Envelope;
use crate::shape::{LEN, Out, key_len, put_key, put_varint, varint_len};
use crate::{DecodeError, Decoded, EncodeError, Message, decode_body, decode_body_copied};

/// Bytes before the envelope: the framing byte and the length.
pub const HEAD_LEN: usize = 5;

/// The kind that an envelope names.
///
/// Released peers accept either kind where they expect the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A request.
    Request,
    /// A response.
    Response,
}

/// The result of reading the first bytes of an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peeked {
    /// At least `needed` more bytes must arrive before the length is known.
    Incomplete {
        /// The number of missing bytes; at least 1.
        needed: usize,
    },
    /// The length is legal.
    Head {
        /// Bytes of the envelope, its framing byte and its length field.
        frame_len: usize,
    },
}

/// An envelope that is one of zccache's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enveloped<M> {
    /// The decoded body.
    pub body: Decoded<M>,
    /// The kind that the envelope names.
    pub kind: Kind,
    /// The id that the client gave to the envelope.
    pub frame_request_id: u64,
}

/// An envelope that is refused, and the id that its refusal carries back.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("an envelope that is refused")]
pub struct Rejected {
    /// Why.
    #[source]
    pub error: DecodeError,
    /// The id of the envelope; 0 where it could not be read.
    pub frame_request_id: u64,
}

impl From<DecodeError> for Rejected {
    fn from(error: DecodeError) -> Self {
        Self { error, frame_request_id: 0 }
    }
}

/// Appends `message` in an envelope to `buffer`; on an error `buffer` is as it was.
///
/// The body is written in its place, not copied there: its length is known before.
///
/// # Errors
///
/// [`EncodeError::TooLong`] for an envelope above 16 MiB and [`EncodeError::Path`] for a path that is not
/// UTF-8; nothing has been sent then, and the connection is as usable as before.
pub fn encode_into<M: Message>(
    message: &M,
    request_id: &str,
    frame_request_id: u64,
    kind: Kind,
    buffer: &mut BytesMut,
) -> Result<(), EncodeError> {
    all_in(buffer, |pieces| encode_pieces(message, request_id, frame_request_id, kind, pieces))
}

/// Appends `message` in an envelope to `pieces` and shares its large byte strings.
///
/// # Errors
///
/// As [`encode_into`].
pub fn encode_pieces<M: Message>(
    message: &M,
    request_id: &str,
    frame_request_id: u64,
    kind: Kind,
    buffer: &mut Pieces,
) -> Result<(), EncodeError> {
    let payload = Measured::new(message, request_id)?;
    let kind = match kind {
        Kind::Request => FrameKind::Request,
        Kind::Response => FrameKind::Response,
    } as i32;
    let before = ENVELOPE_VERSION.field_len(numbers::envelope_version)
        + kind.field_len(numbers::kind)
        + PAYLOAD_PROTOCOL.field_len(numbers::payload_protocol);
    let within = key_len(numbers::payload) + varint_len(payload.len()) + payload.len();
    let length = before + within + frame_request_id.field_len(numbers::request_id);
    let announced = match u32::try_from(length) {
        Ok(announced) if announced <= MAX_LENGTH => announced,
        _ => return Err(EncodeError::TooLong { length: length as u64 }),
    };
    buffer.reserve(HEAD_LEN + length);
    buffer.copied().put_u8(FRAMING);
    buffer.copied().put_u32_le(announced);
    ENVELOPE_VERSION.put_field(numbers::envelope_version, buffer);
    kind.put_field(numbers::kind, buffer);
    PAYLOAD_PROTOCOL.put_field(numbers::payload_protocol, buffer);
    put_key(numbers::payload, LEN, buffer);
    put_varint(payload.len() as u64, buffer);
    payload.write(buffer);
    frame_request_id.put_field(numbers::request_id, buffer);
    Ok(())
}

/// Reads the length at the start of `buffer`, which starts with an envelope.
///
/// # Errors
///
/// [`DecodeError::Framing`] for another first byte and [`DecodeError::Frame`] for a length above 16 MiB,
/// both as soon as they are there.
pub fn peek(buffer: &[u8]) -> Result<Peeked, DecodeError> {
    if let Some(&byte) = buffer.first().filter(|byte| **byte != FRAMING) {
        return Err(DecodeError::Framing { byte });
    }
    let Some(length) = buffer.get(1..).and_then(<[u8]>::first_chunk::<4>) else {
        return Ok(Peeked::Incomplete { needed: HEAD_LEN - buffer.len() });
    };
    match u32::from_le_bytes(*length) {
        length if length > MAX_LENGTH => Err(FrameError::TooLong { length: length.into() }.into()),
        length => Ok(Peeked::Head { frame_len: HEAD_LEN + length as usize }),
    }
}

/// Decodes the message in `envelope`.
///
/// `envelope` starts after the framing byte and the length. The checks of `docs/spec/frame-v1.md#checks` run in
/// their order: envelope, version, protocol, kind,
/// encoding, body. Deadline, trace and unknown fields are ignored.
///
/// # Errors
///
/// [`Rejected`], with the id of the envelope as soon as that could be read.
pub fn decode<M: Message>(envelope: Bytes) -> Result<Enveloped<M>, Rejected> {
    let frame = Frame::decode(envelope).map_err(DecodeError::Envelope)?;
    let Frame { envelope_version, kind, payload_protocol, payload, request_id, payload_encoding, .. } = frame;
    let fields = Envelope {
        envelope_version,
        kind,
        payload_protocol,
        payload: &payload,
        request_id,
        payload_encoding,
    };
    let rejected = |error| Rejected { error, frame_request_id: request_id };
    let kind = check(&fields).map_err(rejected)?;
    let body = decode_body(payload).map_err(rejected)?;
    Ok(Enveloped { body, kind, frame_request_id: request_id })
}

/// Decodes as [`decode`] and copies every byte string.
///
/// For envelopes below [`SHARED_FROM`](crate::SHARED_FROM), whose buffer the caller uses again.
///
/// # Errors
///
/// As [`decode`].
pub fn decode_copied<M: Message>(envelope: &[u8]) -> Result<Enveloped<M>, Rejected> {
    let Some(fields) = Envelope::read(envelope) else { return decode(Bytes::copy_from_slice(envelope)) };
    let frame_request_id = fields.request_id;
    let rejected = |error| Rejected { error, frame_request_id };
    let kind = check(&fields).map_err(rejected)?;
    let body = decode_body_copied(fields.payload).map_err(rejected)?;
    Ok(Enveloped { body, kind, frame_request_id })
}

/// Reads one complete envelope from the front of `buffer` and takes it off.
///
/// Returns `Ok(None)` and removes nothing until the envelope is complete. A complete envelope is removed even
/// when it is rejected. This is the FrameV1-only decoder of `docs/spec/wire.md#first-bytes`.
///
/// # Errors
///
/// [`Rejected`].
pub fn decode_frame<M: Message>(buffer: &mut Bytes) -> Result<Option<Enveloped<M>>, Rejected> {
    let frame_len = match peek(buffer)? {
        Peeked::Head { frame_len } if frame_len <= buffer.len() => frame_len,
        Peeked::Head { .. } | Peeked::Incomplete { .. } => return Ok(None),
    };
    let mut envelope = buffer.split_to(frame_len);
    envelope.advance(HEAD_LEN);
    decode(envelope).map(Some)
}

fn check(frame: &Envelope<'_>) -> Result<Kind, DecodeError> {
    if frame.envelope_version != ENVELOPE_VERSION {
        return Err(DecodeError::EnvelopeVersion { received: frame.envelope_version });
    }
    if frame.payload_protocol != PAYLOAD_PROTOCOL {
        return Err(DecodeError::PayloadProtocol { received: frame.payload_protocol });
    }
    let kind = match FrameKind::try_from(frame.kind) {
        Ok(FrameKind::Request) => Kind::Request,
        Ok(FrameKind::Response) => Kind::Response,
        Ok(FrameKind::Event | FrameKind::Cancel) | Err(_) => {
            return Err(DecodeError::Kind { received: frame.kind });
        }
    };
    if frame.payload_encoding != PayloadEncoding::None as i32 {
        return Err(DecodeError::PayloadEncoding { received: frame.payload_encoding });
    }
    Ok(kind)
}
