//! What stands in a field: required, optional, or a hash.

use bytes::Bytes;
use ipc_model::{EnvVars, NotUtf8};
use wire_frame::Pieces;

use super::{Contents, Nested, Out, Record, delimited_len, put_delimited};
use crate::ConvertError;
use crate::convert_error::Place;
use crate::generated::zccache_v1::EnvVar;

/// A field that can be read.
pub(crate) trait Field: Out + Sized {
    /// The type that prost generates for the field.
    type Wire;

    /// Converts the value that prost read at `place`.
    fn of_wire(wire: Self::Wire, place: Place) -> Result<Self, ConvertError>;
}

/// A message that must be there.
impl<T: Nested> Out for T {
    fn field_len(&self, number: u32) -> usize {
        delimited_len(self, number)
    }

    fn put_field(&self, number: u32, buffer: &mut Pieces) {
        put_delimited(self, number, buffer);
    }

    fn check_paths(&self) -> Result<(), NotUtf8> {
        Contents::check_paths(self)
    }
}

impl<T: Nested> Field for T {
    type Wire = Option<T::Wire>;

    fn of_wire(wire: Self::Wire, place: Place) -> Result<Self, ConvertError> {
        wire.ok_or_else(|| place.missing())?.into_model()
    }
}

/// Present but empty is not absent.
impl<C: Contents> Out for Option<C> {
    fn field_len(&self, number: u32) -> usize {
        self.as_ref().map_or(0, |contents| delimited_len(contents, number))
    }

    fn put_field(&self, number: u32, buffer: &mut Pieces) {
        if let Some(contents) = self {
            put_delimited(contents, number, buffer);
        }
    }

    fn check_paths(&self) -> Result<(), NotUtf8> {
        self.as_ref().map_or(Ok(()), Contents::check_paths)
    }
}

impl<T: Nested> Field for Option<T> {
    type Wire = Option<T::Wire>;

    fn of_wire(wire: Self::Wire, _: Place) -> Result<Self, ConvertError> {
        wire.map(Record::into_model).transpose()
    }
}

impl Field for Option<String> {
    type Wire = Self;

    fn of_wire(wire: Self, _: Place) -> Result<Self, ConvertError> {
        Ok(wire)
    }
}

impl Field for Option<Bytes> {
    type Wire = Self;

    fn of_wire(wire: Self, place: Place) -> Result<Self, ConvertError> {
        wire.map(|bytes| Bytes::of_wire(bytes, place)).transpose()
    }
}

/// A hash, which the schema has as bytes.
impl Field for Option<[u8; 32]> {
    type Wire = Option<Bytes>;

    fn of_wire(wire: Self::Wire, place: Place) -> Result<Self, ConvertError> {
        let hash =
            |bytes: Bytes| <[u8; 32]>::try_from(&*bytes).map_err(|_| place.length(bytes.len(), "32 bytes"));
        wire.map(hash).transpose()
    }
}

/// An optional environment: the truth value beside the list decides.
///
/// Rule: `docs/spec/wire-v16.md#field-rules`.
impl Out for Option<EnvVars> {
    fn field_len(&self, number: u32) -> usize {
        self.as_ref().map_or(0, |list| list.field_len(number))
    }

    fn put_field(&self, number: u32, buffer: &mut Pieces) {
        if let Some(list) = self {
            list.put_field(number, buffer);
        }
    }
}

impl Field for Option<EnvVars> {
    type Wire = (Vec<EnvVar>, bool);

    fn of_wire((list, is_set): Self::Wire, place: Place) -> Result<Self, ConvertError> {
        if is_set { EnvVars::of_wire(list, place).map(Some) } else { Ok(None) }
    }
}
