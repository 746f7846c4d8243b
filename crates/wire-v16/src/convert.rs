//! The generated message that carries a message of the model, and back.

use bytes::BytesMut;
use prost::Message as _;

use crate::body::converted;
use crate::{Decoded, EncodeError, Generation, Message, encode_body};

/// Returns the generated message that carries `message` with `request_id`.
///
/// It is for callers that store, inspect or send the generated message themselves. [`encode`](crate::encode)
/// is faster: this function encodes the message and lets prost decode it.
///
/// ```
/// use wire_v16::ipc_model::Request;
/// use wire_v16::{from_wire, to_wire};
///
/// let wire = to_wire(&Request::Ping, "control-ping")?;
/// assert_eq!(wire.request_id, "control-ping");
/// assert_eq!(from_wire::<Request>(wire).message, Ok(Request::Ping));
/// # Ok::<(), wire_v16::EncodeError>(())
/// ```
///
/// # Errors
///
/// [`EncodeError::Path`] for a path that is not UTF-8, and [`EncodeError::TooLong`] for a message that no
/// frame can carry.
pub fn to_wire<M: Message>(message: &M, request_id: &str) -> Result<M::Wire, EncodeError> {
    let mut body = BytesMut::new();
    encode_body(message, request_id, &mut body)?;
    Ok(M::Wire::decode(body.freeze()).expect("the encoder writes the schema's own messages"))
}

/// Returns the message of the model that a generated message carries, with its id.
///
/// A body that is missing, or that cannot be converted, is an error in [`Decoded::message`].
pub fn from_wire<M: Message>(wire: M::Wire) -> Decoded<M> {
    converted(M::split(wire))
}

/// Returns true if a daemon of `generation` knows messages like `message`.
pub fn carries<M: Message>(message: &M, generation: Generation) -> bool {
    generation >= message.since()
}
