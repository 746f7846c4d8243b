//! Numbers, text, bytes and paths.
//!
//! Rule: `docs/spec/wire-v15.md#primitive-encodings`.

use std::fmt;

use bytes::Bytes;
use ipc_model::{NormalizedPath, NotUtf8};
use serde::de::{self, Visitor};
use serde::ser::{self, SerializeTuple as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Body, Shape};
use crate::Generation;

/// The shortest byte string that shares the received buffer, in bytes.
///
/// A shorter one is copied, so that a few bytes do not keep a large frame in memory.
pub const SHARED_FROM: usize = 4096;

macro_rules! as_serde_does {
    ($($name:ident $(of $texts:expr)?),+) => {$(
        impl Shape for $name {
            fn serialize<S: Serializer>(&self, serializer: S, _: Generation) -> Result<S::Ok, S::Error> {
                Serialize::serialize(self, serializer)
            }

            fn deserialize<'de, D: Deserializer<'de>>(deserializer: D, _: Body<'_>) -> Result<Self, D::Error> {
                Deserialize::deserialize(deserializer)
            }
            $(
                fn texts(&self) -> usize {
                    $texts(self)
                }
            )?
        }
    )+};
}

as_serde_does! { bool, u32, u64, i32, f32, String of String::len }

impl Shape for NormalizedPath {
    fn serialize<S: Serializer>(&self, serializer: S, _: Generation) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.to_wire().map_err(ser::Error::custom)?)
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D, _: Body<'_>) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = NormalizedPath;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<NormalizedPath, E> {
                Ok(NormalizedPath::new(text))
            }
        }
        deserializer.deserialize_str(Text)
    }

    fn check_paths(&self) -> Result<(), NotUtf8> {
        self.to_wire().map(drop)
    }

    fn texts(&self) -> usize {
        self.as_path().as_os_str().len()
    }
}

impl Shape for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S, _: Generation) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self)
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D, body: Body<'_>) -> Result<Self, D::Error> {
        struct Raw<'b>(Body<'b>);
        impl<'de> Visitor<'de> for Raw<'_> {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(match self.0.shared {
                    Some(body) if bytes.len() >= SHARED_FROM => body.slice_ref(bytes),
                    _ => Bytes::copy_from_slice(bytes),
                })
            }
        }
        deserializer.deserialize_bytes(Raw(body))
    }

    fn bulk(&self) -> usize {
        self.len()
    }

    fn large<'a>(&'a self, least: usize, found: &mut Vec<&'a Bytes>) {
        if self.len() >= least {
            found.push(self);
        }
    }
}

/// Thirty-two bytes, without a length.
impl Shape for [u8; 32] {
    fn serialize<S: Serializer>(&self, serializer: S, _: Generation) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(self.len())?;
        for byte in self {
            tuple.serialize_element(byte)?;
        }
        tuple.end()
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D, _: Body<'_>) -> Result<Self, D::Error> {
        Deserialize::deserialize(deserializer)
    }
}
