//! What each message looks like to serde.

#[macro_use]
mod macros;

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

pub use primitive::SHARED_FROM;

/// A type with a place in the wire tables.
///
/// The model knows no serde, so this trait stands in for `Serialize` and `Deserialize`.
pub trait Shape: Sized {
    /// Writes the value.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Reads a value that lies in `body`.
    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D, body: Body<'_>) -> Result<Self, D::Error>;

    /// What stands for the value where a self-describing format leaves it out.
    fn when_absent() -> Option<Self> {
        None
    }

    /// Fails where the value holds a path that no wire can carry.
    fn check_paths(&self) -> Result<(), NotUtf8> {
        Ok(())
    }

    /// How many bytes of byte strings the value holds, so that a buffer grows once.
    fn bulk(&self) -> usize {
        0
    }

    /// Collects the byte strings of at least `least` bytes, in wire order.
    fn large<'a>(&'a self, _least: usize, _found: &mut Vec<&'a Bytes>) {}
}

/// A value that can be the body of a frame.
pub trait Message: Shape {
    /// What the message is called in errors.
    const NAME: &'static str;
    /// How many variants the wire table has.
    const VARIANTS: u32;
}

/// The received buffer that byte strings may share; `None` where there is none to share.
#[derive(Clone, Copy)]
pub struct Body<'b>(pub(crate) Option<&'b Bytes>);

/// Writes a [`Shape`] where serde wants a `Serialize`.
pub(crate) struct Out<'a, T>(pub(crate) &'a T);

impl<T: Shape> Serialize for Out<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
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
