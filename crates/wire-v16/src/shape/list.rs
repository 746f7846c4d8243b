//! Lists.

use ipc_model::NotUtf8;
use prost::encoding::uint32;
use wire_frame::Pieces;

use super::{Contents, Field, Nested, Out, Record, delimited_len, put_delimited};
use crate::ConvertError;
use crate::convert_error::Place;

impl<C: Contents> Out for Vec<C> {
    fn field_len(&self, number: u32) -> usize {
        self.iter().map(|contents| delimited_len(contents, number)).sum()
    }

    fn put_field(&self, number: u32, buffer: &mut Pieces) {
        for contents in self {
            put_delimited(contents, number, buffer);
        }
    }

    fn check_paths(&self) -> Result<(), NotUtf8> {
        self.iter().try_for_each(Contents::check_paths)
    }
}

impl<T: Nested> Field for Vec<T> {
    type Wire = Vec<T::Wire>;

    fn of_wire(wire: Self::Wire, _: Place) -> Result<Self, ConvertError> {
        wire.into_iter().map(Record::into_model).collect()
    }
}

impl Field for Vec<String> {
    type Wire = Self;

    fn of_wire(wire: Self, _: Place) -> Result<Self, ConvertError> {
        Ok(wire)
    }
}

/// Numbers stand packed, behind one key.
impl Out for Vec<u32> {
    fn field_len(&self, number: u32) -> usize {
        uint32::encoded_len_packed(number, self)
    }

    fn put_field(&self, number: u32, buffer: &mut Pieces) {
        uint32::encode_packed(number, self, buffer.copied());
    }
}

impl Field for Vec<u32> {
    type Wire = Self;

    fn of_wire(wire: Self, _: Place) -> Result<Self, ConvertError> {
        Ok(wire)
    }
}
