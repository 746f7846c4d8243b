//! Optionals, boxes, lists, pairs and the tags of enums.

use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;
use ipc_model::NotUtf8;
use serde::de::{self, DeserializeSeed, SeqAccess, Visitor};
use serde::ser::{SerializeSeq as _, SerializeTuple as _};
use serde::{Deserializer, Serializer};

use super::{Body, In, Out, Shape};
use crate::Generation;

/// The most memory that the elements of one list may take, without the texts that they point to.
///
/// An element that takes a few bytes on the wire takes up to 72 in memory; without this, a legal frame
/// could ask for many times its own size. One frame's worth is 349 525 environment variables.
///
/// Rule: `docs/spec/wire.md#limits`.
pub(super) const LIST_MEMORY: usize = wire_frame::MAX_LENGTH as usize;

/// Elements to make room for before the first one has been read.
const FIRST_CAPACITY: usize = 64;

impl<T: Shape> Shape for Option<T> {
    fn serialize<S: Serializer>(&self, serializer: S, generation: Generation) -> Result<S::Ok, S::Error> {
        match self {
            Some(value) => serializer.serialize_some(&Out(value, generation)),
            None => serializer.serialize_none(),
        }
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D, body: Body<'_>) -> Result<Self, D::Error> {
        struct Maybe<'b, T>(Body<'b>, PhantomData<T>);
        impl<'de, T: Shape> Visitor<'de> for Maybe<'_, T> {
            type Value = Option<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an optional value")
            }

            fn visit_none<E: de::Error>(self) -> Result<Option<T>, E> {
                Ok(None)
            }

            fn visit_unit<E: de::Error>(self) -> Result<Option<T>, E> {
                Ok(None)
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
                T::deserialize(deserializer, self.0).map(Some)
            }
        }
        deserializer.deserialize_option(Maybe(body, PhantomData))
    }

    fn check_paths(&self) -> Result<(), NotUtf8> {
        self.as_ref().map_or(Ok(()), Shape::check_paths)
    }

    fn bulk(&self) -> usize {
        self.as_ref().map_or(0, Shape::bulk)
    }

    fn texts(&self) -> usize {
        self.as_ref().map_or(0, Shape::texts)
    }

    fn large<'a>(&'a self, least: usize, found: &mut Vec<&'a Bytes>) {
        if let Some(value) = self {
            value.large(least, found);
        }
    }
}

/// A box is where a value is, and nothing on the wire.
impl<T: Shape> Shape for Box<T> {
    fn serialize<S: Serializer>(&self, serializer: S, generation: Generation) -> Result<S::Ok, S::Error> {
        T::serialize(self, serializer, generation)
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D, body: Body<'_>) -> Result<Self, D::Error> {
        T::deserialize(deserializer, body).map(Self::new)
    }

    fn check_paths(&self) -> Result<(), NotUtf8> {
        T::check_paths(self)
    }

    fn bulk(&self) -> usize {
        T::bulk(self)
    }

    fn texts(&self) -> usize {
        T::texts(self)
    }

    fn large<'a>(&'a self, least: usize, found: &mut Vec<&'a Bytes>) {
        T::large(self, least, found);
    }
}

impl<T: Shape> Shape for Vec<T> {
    fn serialize<S: Serializer>(&self, serializer: S, generation: Generation) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.len()))?;
        for element in self {
            seq.serialize_element(&Out(element, generation))?;
        }
        seq.end()
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D, body: Body<'_>) -> Result<Self, D::Error> {
        struct List<'b, T>(Body<'b>, PhantomData<T>);
        impl<'de, T: Shape> Visitor<'de> for List<'_, T> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
                let most = LIST_MEMORY / size_of::<T>().max(1);
                let announced = seq.size_hint().unwrap_or(0);
                let mut list = Vec::with_capacity(announced.min(FIRST_CAPACITY));
                while let Some(element) = seq.next_element_seed(In::new(self.0))? {
                    if list.len() == most {
                        return Err(de::Error::custom(format_args!("a list of more than {most} elements")));
                    }
                    if list.len() == list.capacity() {
                        let doubled = list.len().saturating_mul(2).max(FIRST_CAPACITY);
                        let wanted = if announced > list.len() { doubled.min(announced) } else { doubled };
                        list.reserve_exact(wanted.min(most) - list.len());
                    }
                    list.push(element);
                }
                Ok(list)
            }
        }
        deserializer.deserialize_seq(List(body, PhantomData))
    }

    fn check_paths(&self) -> Result<(), NotUtf8> {
        self.iter().try_for_each(Shape::check_paths)
    }

    fn bulk(&self) -> usize {
        self.iter().map(Shape::bulk).sum()
    }

    fn texts(&self) -> usize {
        self.capacity() * size_of::<T>() + self.iter().map(Shape::texts).sum::<usize>()
    }

    fn large<'a>(&'a self, least: usize, found: &mut Vec<&'a Bytes>) {
        for element in self {
            element.large(least, found);
        }
    }
}

/// An environment variable: the two elements, nothing in between.
impl Shape for (String, String) {
    fn serialize<S: Serializer>(&self, serializer: S, _: Generation) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(2)?;
        tuple.serialize_element(&self.0)?;
        tuple.serialize_element(&self.1)?;
        tuple.end()
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D, _: Body<'_>) -> Result<Self, D::Error> {
        de::Deserialize::deserialize(deserializer)
    }

    fn texts(&self) -> usize {
        self.0.len() + self.1.len()
    }
}

/// Reads the number of the variant that follows.
pub(crate) struct Tag(pub(crate) &'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Tag {
    type Value = u32;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u32, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Tag {
    type Value = u32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "variant index 0 <= i < {}", self.0.len())
    }

    fn visit_u64<E: de::Error>(self, index: u64) -> Result<u32, E> {
        match u32::try_from(index) {
            Ok(known) if (known as usize) < self.0.len() => Ok(known),
            _ => Err(E::invalid_value(de::Unexpected::Unsigned(index), &self)),
        }
    }
}
