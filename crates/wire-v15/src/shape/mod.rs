//! What each message looks like to serde.

#[macro_use]
mod macros;

mod counters;
mod download;
mod nested;
mod primitive;
mod request;
mod response;
pub(crate) mod sequence;

use std::marker::PhantomData;

use bytes::Bytes;
use ipc_model::NotUtf8;
use serde::de::DeserializeSeed;
use serde::{Deserializer, Serialize, Serializer};

use crate::Generation;
pub use primitive::SHARED_FROM;

/// A type with a place in the wire tables.
///
/// The model knows no serde, so this trait stands in for `Serialize` and `Deserialize`.
pub trait Shape: Sized {
    /// Writes the value as `generation` has it.
    fn serialize<S: Serializer>(&self, serializer: S, generation: Generation) -> Result<S::Ok, S::Error>;

    /// Reads a value that lies in `body`.
    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D, body: Body<'_>) -> Result<Self, D::Error>;

    /// Fails where the value holds a path that no wire can carry.
    fn check_paths(&self) -> Result<(), NotUtf8> {
        Ok(())
    }

    /// Returns the total length of the value's byte strings, so that a buffer grows once.
    fn bulk(&self) -> usize {
        0
    }

    /// Returns the bytes of texts, paths and list elements that the value holds in memory.
    fn texts(&self) -> usize {
        0
    }

    /// Collects the byte strings of at least `least` bytes, in wire order.
    fn large<'a>(&'a self, _least: usize, _found: &mut Vec<&'a Bytes>) {}
}

/// A value that can be the body of a frame.
pub trait Message: Shape {
    /// The message's name in errors.
    const NAME: &'static str;

    /// Sender of the message: a client or a daemon.
    const DIRECTION: Direction;

    /// Returns how many variants the table of `generation` has; `None` if the body has no table.
    fn variants(generation: Generation) -> Option<u32>;

    /// Returns the first generation that has the variant of this value.
    fn since(&self) -> Generation {
        Generation::V15
    }

    /// Returns true if the sender sends another response to the same request after this one.
    fn is_interim(&self) -> bool {
        false
    }
}

/// Sender of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// A client; its peer owes a response.
    Request,
    /// A daemon.
    Response,
    /// The type does not say. Each message sent or received counts as one of a pair.
    Either,
}

/// The source that a value is read from.
#[derive(Clone, Copy)]
pub struct Body<'b> {
    /// The received buffer that byte strings may share; `None` copies every byte string.
    pub(crate) shared: Option<&'b Bytes>,
    /// The generation that the value was written in.
    pub(crate) generation: Generation,
}

/// Writes a [`Shape`] where serde wants a `Serialize`.
pub(crate) struct Out<'a, T>(pub(crate) &'a T, pub(crate) Generation);

impl<T: Shape> Serialize for Out<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer, self.1)
    }
}

/// Reads a [`Shape`] where serde wants a `Deserialize`.
pub(crate) struct In<'b, T>(Body<'b>, PhantomData<T>);

impl<'b, T> In<'b, T> {
    pub(crate) fn new(body: Body<'b>) -> Self {
        Self(body, PhantomData)
    }
}

impl<'de, T: Shape> DeserializeSeed<'de> for In<'_, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::deserialize(deserializer, self.0)
    }
}
