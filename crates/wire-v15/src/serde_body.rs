//! A caller's own serde type as the body of a frame.

use serde::de::DeserializeOwned;
use serde::{Deserializer, Serialize, Serializer};

use crate::Generation;
use crate::shape::{Body, Direction, Message, Shape};

/// A caller's own type as a body of wire v15.
///
/// Its encoding is what serde and bincode 1 make of it. It is for programs with their own protocol in frames of wire v15, and for a program that moves to this
/// crate and still has its own message types. The limit of a frame holds; the table of messages does not: any
/// bytes that `T` accepts are a message, and every byte string is copied.
///
/// ```
/// use wire_v15::{SerdeBody, bytes::Bytes, decode_frame, encode};
///
/// let frame = encode(&SerdeBody((7_u32, "seven".to_owned())))?;
/// let SerdeBody(back) = decode_frame::<SerdeBody<(u32, String)>>(&mut frame.clone())?.expect("complete");
/// assert_eq!(back, (7, "seven".to_owned()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct SerdeBody<T>(pub T);

impl<T: Serialize + DeserializeOwned> Shape for SerdeBody<T> {
    fn serialize<S: Serializer>(&self, serializer: S, _: Generation) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D, _: Body<'_>) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self)
    }
}

impl<T: Serialize + DeserializeOwned> Message for SerdeBody<T> {
    const NAME: &'static str = "caller's own message";
    const DIRECTION: Direction = Direction::Either;

    fn variants(_: Generation) -> Option<u32> {
        None
    }
}

#[cfg(test)]
mod tests {
    use ipc_model::{Lookup, Request};

    use super::*;
    use crate::{EncodeError, decode, decode_frame, encode};

    /// The released enum, as far as this test goes.
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    enum Own {
        Ping,
        Shutdown,
        Status,
        Lookup { cache_key: String },
    }

    #[test]
    fn an_own_type_with_the_layout_of_the_table_has_the_bytes_of_the_table() {
        let own = SerdeBody(Own::Lookup { cache_key: "k".into() });
        let ours = Request::Lookup(Lookup { cache_key: "k".into() });
        let frame = encode(&own).expect("encodes");
        assert_eq!(frame, encode(&ours).expect("encodes"));
        assert_eq!(decode_frame::<SerdeBody<Own>>(&mut frame.clone()).expect("decodes"), Some(own));
    }

    #[test]
    fn a_body_may_begin_with_any_number() {
        let body = SerdeBody(u32::MAX);
        assert_eq!(
            decode::<SerdeBody<u32>>(&encode(&body).expect("encodes").slice(8..)).expect("decodes"),
            body
        );
    }

    #[test]
    fn the_limit_of_a_frame_holds() {
        let error = encode(&SerdeBody("x".repeat(17 << 20))).expect_err("above 16 MiB");
        assert!(matches!(error, EncodeError::TooLong { length } if length > 17 << 20), "{error}");
    }
}
