//! Parts of the JSON form that serde does not derive.

/// Returns true if a field of a later release has its default and is therefore left out.
///
/// A form without the field is the form of every release before it.
pub(crate) fn is_unset<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Writes a finite number, and fails for others: JSON has only null for them, which stands for no number.
pub(crate) fn finite<S: serde::Serializer>(number: &Option<f32>, serializer: S) -> Result<S::Ok, S::Error> {
    match number {
        Some(number) if !number.is_finite() && serializer.is_human_readable() => {
            Err(serde::ser::Error::custom(format!("JSON has no number {number}")))
        }
        number => serde::Serialize::serialize(number, serializer),
    }
}

/// Byte strings: `{"$hex": "…"}` in formats for people, else bytes.
pub(crate) mod bytes {
    use std::fmt;

    use bytes::Bytes;
    use serde::de::{Error, MapAccess, Visitor};
    use serde::ser::SerializeMap as _;
    use serde::{Deserializer, Serializer};

    const HEX_KEY: &str = "$hex";

    pub(crate) fn serialize<S: Serializer>(
        bytes: &(impl AsRef<[u8]> + ?Sized),
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return serializer.serialize_bytes(bytes.as_ref());
        }
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(HEX_KEY, &hex::encode(bytes))?;
        map.end()
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        struct Contents;
        impl<'de> Visitor<'de> for Contents {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{{\"{HEX_KEY}\": \"…\"}}")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes::copy_from_slice(bytes))
            }

            fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
                Ok(bytes.into())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Bytes, A::Error> {
                let entry: Option<(String, String)> = map.next_entry()?;
                let Some((_, digits)) = entry.filter(|(key, _)| key == HEX_KEY) else {
                    return Err(A::Error::custom(format!("bytes are written as {{\"{HEX_KEY}\": \"…\"}}")));
                };
                if map.next_key::<String>()?.is_some() {
                    return Err(A::Error::custom(format!("nothing may stand beside \"{HEX_KEY}\"")));
                }
                hex::decode(digits).map(Bytes::from).map_err(A::Error::custom)
            }
        }
        if deserializer.is_human_readable() {
            deserializer.deserialize_map(Contents)
        } else {
            deserializer.deserialize_byte_buf(Contents)
        }
    }
}

macro_rules! optional {
    ($(#[$doc:meta])* $name:ident of $value:ty) => {
        $(#[$doc])*
        pub(crate) mod $name {
            use bytes::Bytes;
            use serde::{Deserialize, Deserializer, Serialize, Serializer};

            #[derive(Serialize)]
            struct Out<'a>(#[serde(serialize_with = "super::bytes::serialize")] &'a [u8]);

            #[derive(Deserialize)]
            struct In(#[serde(deserialize_with = "super::bytes::deserialize")] Bytes);

            pub(crate) fn serialize<S: Serializer>(
                value: &Option<$value>,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                value.as_ref().map(|bytes| Out(bytes.as_ref())).serialize(serializer)
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Option<$value>, D::Error> {
                let value: Option<In> = Deserialize::deserialize(deserializer)?;
                value.map(|In(bytes)| super::FromBytes::from_bytes(bytes)).transpose()
            }
        }
    };
}

optional! {
    /// As [`bytes`], or null.
    optional_bytes of Bytes
}

optional! {
    /// As [`bytes`] of 32 bytes, or null.
    optional_hash of [u8; 32]
}

/// A value that is written as a byte string.
trait FromBytes: Sized {
    fn from_bytes<E: serde::de::Error>(bytes: ::bytes::Bytes) -> Result<Self, E>;
}

impl FromBytes for ::bytes::Bytes {
    fn from_bytes<E: serde::de::Error>(bytes: Self) -> Result<Self, E> {
        Ok(bytes)
    }
}

impl FromBytes for [u8; 32] {
    fn from_bytes<E: serde::de::Error>(bytes: ::bytes::Bytes) -> Result<Self, E> {
        bytes.as_ref().try_into().map_err(|_| E::invalid_length(bytes.len(), &"32 bytes"))
    }
}
