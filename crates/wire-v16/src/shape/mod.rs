//! What each message is on the wire and in the model: one row of a table serves both directions.
//!
//! Writing goes from the model straight to bytes: [`Out`] for what stands in a field, [`Contents`] for
//! what stands behind a length. Reading goes through the generated messages: [`Field`] makes the model's
//! value of what prost read. [`Record`] pairs a generated message with its value of the model, and
//! [`Message`] is a request or a response.

#[macro_use]
mod macros;

mod artifact;
mod counters;
mod field;
mod list;
mod nested;
mod primitive;
mod request;
mod response;

use bytes::BufMut as _;
use ipc_model::NotUtf8;
use prost::encoding::{DecodeContext, WireType, encode_varint, encoded_len_varint};
use wire_frame::Pieces;

use crate::{ConvertError, Generation};
pub(crate) use field::Field;
pub use primitive::SHARED_FROM;

/// A [`Request`](ipc_model::Request) or a [`Response`](ipc_model::Response).
pub trait Message: Choice {
    /// The message's name in errors.
    const NAME: &'static str;
}

/// A message that is one of several.
pub trait Choice: Sized {
    /// The generated message.
    type Wire: prost::Message + Default;
    /// The generated oneof.
    type Member: std::fmt::Debug;
    /// The message's name in the error texts of released peers.
    const NOUN: &'static str;
    /// The members of the control slice, as a text for errors.
    const CONTROL: &'static str;
    /// The number of the id.
    const REQUEST_ID: u32;
    /// The number of members; their field numbers begin with 1.
    const MEMBERS: u32;

    /// Returns the field number of the member.
    fn number(&self) -> u32;
    /// Returns the first generation that has the member.
    fn since(&self) -> Generation;
    /// Bytes of the member's message.
    fn contents_len(&self) -> usize;
    /// Appends the member's message.
    fn put_contents(&self, buffer: &mut Pieces);
    /// Fails where the message holds a path that no wire can carry.
    fn check_paths(&self) -> Result<(), NotUtf8>;
    /// Returns true if decoding `payload` would take too much memory.
    fn too_heavy(payload: &[u8]) -> bool;
    /// Takes the generated message apart.
    fn split(wire: Self::Wire) -> (Option<Self::Member>, String);
    /// Reads the value after the key of a member.
    fn merge_member(
        member: &mut Option<Self::Member>,
        number: u32,
        wire_type: WireType,
        buffer: &mut &[u8],
        context: DecodeContext,
    ) -> Result<(), prost::DecodeError>;
    /// Converts the generated oneof.
    fn of_member(member: Self::Member) -> Result<Self, ConvertError>;
    /// Returns true if the control slice has the member.
    fn is_control(member: &Self::Member) -> bool;
}

/// A generated message, and the value of the model that it carries.
pub(crate) trait Record: Sized {
    type Model;

    /// Bytes of the message that carries `model`.
    fn len(model: &Self::Model) -> usize;
    /// Appends the message that carries `model`.
    fn put(model: &Self::Model, buffer: &mut Pieces);
    /// Fails where `model` holds a path that no wire can carry.
    fn check_paths(model: &Self::Model) -> Result<(), NotUtf8>;
    /// Converts the generated message to the model.
    fn into_model(self) -> Result<Self::Model, ConvertError>;
}

/// A member that is large, and stands in a box.
impl<R: Record> Record for Box<R> {
    type Model = R::Model;

    fn len(model: &Self::Model) -> usize {
        R::len(model)
    }

    fn put(model: &Self::Model, buffer: &mut Pieces) {
        R::put(model, buffer);
    }

    fn check_paths(model: &Self::Model) -> Result<(), NotUtf8> {
        R::check_paths(model)
    }

    fn into_model(self) -> Result<Self::Model, ConvertError> {
        R::into_model(*self)
    }
}

/// A value of the model that has one generated message.
pub(crate) trait Nested: Sized {
    type Wire: Record<Model = Self>;
}

/// A value that is written after a key and a length.
pub(crate) trait Contents {
    fn size(&self) -> usize;
    fn put(&self, buffer: &mut Pieces);
    fn check_paths(&self) -> Result<(), NotUtf8> {
        Ok(())
    }
}

/// A field's value; a default value is not written.
pub(crate) trait Out {
    fn field_len(&self, number: u32) -> usize;
    fn put_field(&self, number: u32, buffer: &mut Pieces);
    fn check_paths(&self) -> Result<(), NotUtf8> {
        Ok(())
    }
}

impl<T: Nested> Contents for T {
    fn size(&self) -> usize {
        T::Wire::len(self)
    }

    fn put(&self, buffer: &mut Pieces) {
        T::Wire::put(self, buffer);
    }

    fn check_paths(&self) -> Result<(), NotUtf8> {
        T::Wire::check_paths(self)
    }
}

/// The wire type of length-delimited values.
pub(crate) const LEN: WireType = WireType::LengthDelimited;

/// Bytes of a key.
#[inline]
pub(crate) fn key_len(number: u32) -> usize {
    prost::encoding::key_len(number)
}

/// Appends a key.
#[inline]
pub(crate) fn put_key(number: u32, wire_type: WireType, buffer: &mut Pieces) {
    put_varint(u64::from(number << 3 | wire_type as u32), buffer);
}

/// Appends a number. Keys and lengths are nearly always one byte or two.
#[inline]
pub(crate) fn put_varint(value: u64, buffer: &mut Pieces) {
    match value {
        ..0x80 => buffer.copied().put_u8(value as u8),
        0x80..0x4000 => buffer.copied().put_slice(&[value as u8 | 0x80, (value >> 7) as u8]),
        _ => encode_varint(value, buffer.copied()),
    }
}

/// Bytes of a length.
#[inline]
pub(crate) fn varint_len(value: usize) -> usize {
    encoded_len_varint(value as u64)
}

/// Bytes of contents with their key and length.
fn delimited_len<C: Contents + ?Sized>(contents: &C, number: u32) -> usize {
    let len = contents.size();
    key_len(number) + varint_len(len) + len
}

/// Appends contents with their key and length.
fn put_delimited<C: Contents + ?Sized>(contents: &C, number: u32, buffer: &mut Pieces) {
    put_key(number, LEN, buffer);
    put_varint(contents.size() as u64, buffer);
    contents.put(buffer);
}
