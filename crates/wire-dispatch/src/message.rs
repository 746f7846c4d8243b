//! A message with the lane and the ids that it travels with.

use bytes::{Buf as _, Bytes, BytesMut};
use wire_frame::{Pieces, Version};
use wire_v16::frame_v1::{self, Kind, Rejected};

use crate::cut::{Front, front};
use crate::{DecodeError, Dialect, EncodeError, Lane, Wires};

/// The ids of one message. v15 has none, v16 the first, FrameV1 both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Ids {
    /// The inner id: any text, also the empty one.
    pub request_id: String,
    /// The id of the running-process frame.
    pub frame_request_id: u64,
}

/// A message as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodedWireMessage<M> {
    /// The lane of the frame.
    pub lane: Lane,
    /// The header number of the frame; `None` for FrameV1.
    pub version: Option<Version>,
    /// The ids of the frame; an id that the lane lacks is empty.
    pub ids: Ids,
    /// The message.
    pub message: M,
}

impl<M> DecodedWireMessage<M> {
    /// Returns the dialect of the frame.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.version.and_then(Dialect::of).unwrap_or(self.lane.into())
    }
}

/// The result of reading one message from the received bytes.
#[derive(Debug)]
pub enum Received<M> {
    /// Read at least `needed` more bytes.
    Read {
        /// The number of missing bytes; at least 1.
        needed: usize,
        /// The dialect and the bytes of the whole frame, once they are known.
        frame: Option<(Dialect, usize)>,
    },
    /// A message.
    Message(DecodedWireMessage<M>),
    /// A frame that was removed but could not be decoded.
    Undecodable {
        /// The dialect of the frame.
        dialect: Dialect,
        /// The ids of the frame, as far as they could be read.
        ids: Ids,
        /// The error that refused it.
        error: DecodeError,
        /// The whole envelope, if it names another protocol of running-process.
        foreign: Option<Foreign>,
    },
}

/// An envelope around a message of another protocol than zccache's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// The protocol's number.
    pub protocol: u32,
    /// The envelope, without the framing byte and the length.
    pub envelope: Bytes,
}

/// A message that both wires can carry.
pub trait Message: wire_v15::Message + wire_v16::Message {}

impl<M: wire_v15::Message + wire_v16::Message> Message for M {}

/// Takes the first message off `received`, if it is of one of `wires`.
///
/// Rule: `docs/spec/wire.md#first-bytes`.
///
/// # Errors
///
/// [`DecodeError::Cut`] for what cannot be a frame of ours.
pub fn receive<M: Message>(received: &mut BytesMut, wires: Wires) -> Result<Received<M>, DecodeError> {
    let (dialect, head, frame_len) = match front(received, wires)? {
        Front::Read { needed, frame } => return Ok(Received::Read { needed, frame }),
        Front::Frame { dialect, head, frame_len } => (dialect, head, frame_len),
    };
    let mut ids = Ids::default();
    let envelope;
    // Of a short frame nothing would be shared: it is read where it lies, and its buffer stays whole.
    let message = if frame_len < wire_v15::SHARED_FROM {
        let body = &received[head..frame_len];
        let message = match dialect {
            Dialect::Bincode(generation) => {
                wire_v15::decode_copied_in(body, generation).map_err(DecodeError::from)
            }
            Dialect::Protobuf(_) => inner(wire_v16::decode_body_copied(body), &mut ids),
            Dialect::FrameV1 => enveloped(frame_v1::decode_copied(body), &mut ids),
        };
        envelope = (dialect == Dialect::FrameV1 && message.is_err()).then(|| Bytes::copy_from_slice(body));
        received.advance(frame_len);
        message
    } else {
        let mut body = received.split_to(frame_len).freeze();
        body.advance(head);
        envelope = (dialect == Dialect::FrameV1).then(|| body.clone());
        match dialect {
            Dialect::Bincode(generation) => wire_v15::decode_in(&body, generation).map_err(DecodeError::from),
            Dialect::Protobuf(_) => inner(wire_v16::decode_body(body), &mut ids),
            Dialect::FrameV1 => enveloped(frame_v1::decode(body), &mut ids),
        }
    };
    Ok(match message {
        Ok(message) => Received::Message(DecodedWireMessage {
            lane: dialect.lane(),
            version: dialect.version(),
            ids,
            message,
        }),
        Err(error) => {
            let foreign = match &error {
                DecodeError::V16(wire_v16::DecodeError::PayloadProtocol { received }) => {
                    envelope.map(|envelope| Foreign { protocol: *received, envelope })
                }
                _ => None,
            };
            Received::Undecodable { dialect, ids, error, foreign }
        }
    })
}

fn enveloped<M: Message>(
    decoded: Result<frame_v1::Enveloped<M>, Rejected>,
    ids: &mut Ids,
) -> Result<M, DecodeError> {
    match decoded {
        Ok(enveloped) => {
            ids.frame_request_id = enveloped.frame_request_id;
            inner(Ok(enveloped.body), ids)
        }
        Err(Rejected { error, frame_request_id }) => {
            ids.frame_request_id = frame_request_id;
            Err(error.into())
        }
    }
}

fn inner<M>(
    decoded: Result<wire_v16::Decoded<M>, wire_v16::DecodeError>,
    ids: &mut Ids,
) -> Result<M, DecodeError> {
    let wire_v16::Decoded { message, request_id } = decoded?;
    ids.request_id = request_id;
    Ok(message?)
}

/// Appends `message` to `out` as a frame of `dialect`.
///
/// An error leaves `out` unchanged.
///
/// # Errors
///
/// [`EncodeError`]; nothing has been sent then.
pub fn encode<M: Message>(
    message: &M,
    dialect: impl Into<Dialect>,
    ids: &Ids,
    kind: Kind,
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    let mut pieces = Pieces::all_in(std::mem::take(out));
    let result = encode_pieces(message, dialect, (&ids.request_id, ids.frame_request_id), kind, &mut pieces);
    *out = pieces.into_buffer();
    result
}

/// Appends `message` to `pieces` as a frame of `dialect`.
///
/// Shares the large byte strings of `message`. An error leaves `pieces` unchanged. `ids` are the inner id and the
/// frame's id.
///
/// # Errors
///
/// As [`encode`].
pub fn encode_pieces<M: Message>(
    message: &M,
    dialect: impl Into<Dialect>,
    (request_id, frame_request_id): (&str, u64),
    kind: Kind,
    pieces: &mut Pieces,
) -> Result<(), EncodeError> {
    match dialect.into() {
        Dialect::Bincode(generation) => wire_v15::encode_pieces_in(message, generation, pieces)?,
        Dialect::Protobuf(generation) => {
            wire_v16::encode_pieces_in(message, request_id, generation, pieces)?;
        }
        Dialect::FrameV1 => frame_v1::encode_pieces(message, request_id, frame_request_id, kind, pieces)?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::Buf as _;
    use ipc_model::{ArtifactData, ArtifactOutput, ArtifactPayload, LookupResult, Response};

    use super::*;

    #[test]
    fn a_large_byte_string_is_sent_from_where_it_lies_and_the_bytes_are_the_same() {
        let payload = |byte, len| ArtifactPayload::Bytes(vec![byte; len].into());
        let output = |name: &str, payload| ArtifactOutput { name: name.into(), payload };
        let artifact = ArtifactData {
            outputs: vec![
                output("a", payload(1, 100_000)),
                output("b", payload(2, 10)),
                output("c", payload(3, 20_000)),
            ],
            stdout: vec![4; 30_000].into(),
            stderr: vec![5; 3].into(),
            exit_code: 1,
        };
        let hit = Response::LookupResult(LookupResult::Hit { artifact: artifact.into() });
        for lane in Lane::ALL {
            let ids = Ids { request_id: "id".into(), frame_request_id: 7 };
            let mut flat = BytesMut::from(&b"before"[..]);
            encode(&hit, lane, &ids, Kind::Response, &mut flat).expect("fits");
            let mut pieces = Pieces::in_buffer(BytesMut::from(&b"before"[..]));
            encode_pieces(&hit, lane, ("id", 7), Kind::Response, &mut pieces).expect("fits");
            assert!(pieces.copied().len() < 500, "{lane}: what is large is not copied");
            let mut unsent = pieces.unsent();
            assert_eq!(unsent.copy_to_bytes(unsent.remaining()), flat, "{lane}");
        }
    }
}
