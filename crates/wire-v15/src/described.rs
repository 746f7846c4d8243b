//! The JSON form: the same shapes for formats that carry field names.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Generation;
use crate::shape::{Body, Message};

/// A message for a format with field names, such as JSON.
///
/// Structs become objects, unit variants strings, other variants objects with one key; byte strings
/// become `{"$hex": "…"}`, maps objects and environments lists of two-element lists. On reading, an optional
/// and a field of a later generation than the first may be left out, and an unknown field is an error.
#[derive(Debug, Clone, PartialEq)]
pub struct Described<M>(pub M);

/// A borrowed message for a format with field names; see [`Described`].
///
/// A field that the generation lacks is written only where it is set.
#[derive(Debug)]
pub struct DescribedRef<'a, M>(pub &'a M, pub Generation);

impl<M: Message> Serialize for DescribedRef<'_, M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer, self.1)
    }
}

impl<'de, M: Message> Deserialize<'de> for Described<M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        M::deserialize(deserializer, Body { shared: None, generation: Generation::NEWEST }).map(Self)
    }
}
