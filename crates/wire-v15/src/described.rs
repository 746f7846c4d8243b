//! The same shape for formats that describe themselves.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::shape::{Body, Message};

/// A message for a format with field names, such as JSON.
///
/// Structs become objects, unit variants strings, other variants objects with one key; byte strings
/// become `{"$hex": "…"}` and environments lists of two-element lists. On reading, an optional may be
/// left out, and a field that is not known is an error.
#[derive(Debug, Clone, PartialEq)]
pub struct Described<M>(pub M);

/// A borrowed message for a format with field names; see [`Described`].
#[derive(Debug)]
pub struct DescribedRef<'a, M>(pub &'a M);

impl<M: Message> Serialize for DescribedRef<'_, M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, M: Message> Deserialize<'de> for Described<M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        M::deserialize(deserializer, Body(None)).map(Self)
    }
}
