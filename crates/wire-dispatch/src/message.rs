//! A message with the lane and the ids that it travels with.

use bytes::{Bytes, BytesMut};
use wire_v16::frame_v1::{self, Kind, Rejected};

use crate::{Cut, DecodeError, EncodeError, Lane, Wires, cut};

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
    /// How it came.
    pub lane: Lane,
    /// With which ids; those that the lane does not have are empty.
    pub ids: Ids,
    /// What it says.
    pub message: M,
}

/// What comes of looking at what has been received.
#[derive(Debug)]
pub enum Received<M> {
    /// Read at least `needed` more bytes.
    Read {
        /// How many.
        needed: usize,
        /// The lane and the bytes of the whole frame, once they are known.
        frame: Option<(Lane, usize)>,
    },
    /// A message.
    Message(DecodedWireMessage<M>),
    /// A frame that was taken off and is no message, with what is known of it.
    Undecodable {
        /// How it came.
        lane: Lane,
        /// With which ids, as far as they could be read.
        ids: Ids,
        /// Why it is none.
        error: DecodeError,
        /// The whole envelope, where it holds a message of another protocol of running-process.
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

/// What both wires can carry.
pub trait Message: wire_v15::Message + wire_v16::Message {}

impl<M: wire_v15::Message + wire_v16::Message> Message for M {}

/// Takes the first message off `received`, if it is of one of `wires` (`spec/WIRE.md` §3).
///
/// # Errors
///
/// [`DecodeError::Cut`] for what cannot be a frame of ours.
pub fn receive<M: Message>(received: &mut BytesMut, wires: Wires) -> Result<Received<M>, DecodeError> {
    let (lane, body) = match cut(received, wires)? {
        Cut::Read { needed, frame } => return Ok(Received::Read { needed, frame }),
        Cut::Frame { lane, body, .. } => (lane, body),
    };
    let mut ids = Ids::default();
    let envelope = (lane == Lane::FrameV1).then(|| body.clone());
    let message = match lane {
        Lane::V15 => wire_v15::decode(&body).map_err(DecodeError::from),
        Lane::V16 => inner(wire_v16::decode_body(body), &mut ids),
        Lane::FrameV1 => enveloped(body, &mut ids),
    };
    Ok(match message {
        Ok(message) => Received::Message(DecodedWireMessage { lane, ids, message }),
        Err(error) => {
            let foreign = match &error {
                DecodeError::V16(wire_v16::DecodeError::PayloadProtocol { received }) => {
                    envelope.map(|envelope| Foreign { protocol: *received, envelope })
                }
                _ => None,
            };
            Received::Undecodable { lane, ids, error, foreign }
        }
    })
}

fn enveloped<M: Message>(envelope: Bytes, ids: &mut Ids) -> Result<M, DecodeError> {
    match frame_v1::decode(envelope) {
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

/// Appends `message` to `out` as a frame of `lane`; on an error `out` is as it was.
///
/// # Errors
///
/// [`EncodeError`]; nothing has been sent then.
pub fn encode<M: Message>(
    message: &M,
    lane: Lane,
    ids: &Ids,
    kind: Kind,
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    match lane {
        Lane::V15 => wire_v15::encode_into(message, out)?,
        Lane::V16 => wire_v16::encode_into(message, &ids.request_id, out)?,
        Lane::FrameV1 => {
            frame_v1::encode_into(message, &ids.request_id, ids.frame_request_id, kind, out)?;
        }
    }
    Ok(())
}
