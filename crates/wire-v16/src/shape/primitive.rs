//! Numbers, text and bytes.

use bytes::Bytes;
use prost::encoding::{WireType, encoded_len_varint};
use wire_frame::Pieces;

use super::{Contents, Field, Out, delimited_len, key_len, put_delimited, put_key};
use crate::ConvertError;
use crate::convert_error::Place;

/// The shortest byte string that shares the received buffer, in bytes.
///
/// A shorter one is copied, so that a few bytes do not keep a large frame in memory.
pub const SHARED_FROM: usize = 4096;

/// Numbers are varints; a negative one is sign-extended to ten bytes.
macro_rules! number {
    ($($name:ty: $value:ident => $varint:expr;)+) => {$(
        impl Out for $name {
            fn field_len(&self, number: u32) -> usize {
                let $value = *self;
                if $value == <$name>::default() { 0 } else { key_len(number) + encoded_len_varint($varint) }
            }

            fn put_field(&self, number: u32, buffer: &mut Pieces) {
                let $value = *self;
                if $value != <$name>::default() {
                    put_key(number, WireType::Varint, buffer);
                    super::put_varint($varint, buffer);
                }
            }
        }

        impl Field for $name {
            type Wire = Self;

            fn of_wire(wire: Self, _: Place) -> Result<Self, ConvertError> {
                Ok(wire)
            }
        }
    )+};
}

number! {
    bool: value => u64::from(value);
    u32: value => u64::from(value);
    u64: value => value;
    i32: value => i64::from(value) as u64;
}

macro_rules! raw {
    ($($name:ty: $value:ident => $bytes:expr;)+) => {$(
        impl Contents for $name {
            fn size(&self) -> usize {
                let $value = self;
                $bytes.len()
            }

            fn put(&self, buffer: &mut Pieces) {
                let $value = self;
                buffer.copied().extend_from_slice($bytes);
            }
        }
    )+};
}

raw! {
    str: text => text.as_bytes();
    String: text => text.as_bytes();
    [u8; 32]: bytes => bytes;
}

impl Contents for Bytes {
    fn size(&self) -> usize {
        self.len()
    }

    fn put(&self, buffer: &mut Pieces) {
        buffer.push(self);
    }
}

macro_rules! omitted_when_empty {
    ($($name:ty)+) => {$(
        impl Out for $name {
            fn field_len(&self, number: u32) -> usize {
                if self.is_empty() { 0 } else { delimited_len(self, number) }
            }

            fn put_field(&self, number: u32, buffer: &mut Pieces) {
                if !self.is_empty() {
                    put_delimited(self, number, buffer);
                }
            }
        }
    )+};
}

omitted_when_empty! { str String Bytes }

impl Field for String {
    type Wire = Self;

    fn of_wire(wire: Self, _: Place) -> Result<Self, ConvertError> {
        Ok(wire)
    }
}

impl Field for Bytes {
    type Wire = Self;

    fn of_wire(wire: Self, _: Place) -> Result<Self, ConvertError> {
        Ok(if wire.len() < SHARED_FROM { Self::copy_from_slice(&wire) } else { wire })
    }
}
