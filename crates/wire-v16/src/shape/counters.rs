//! Maps of named counters.

use ipc_model::Counters;
use wire_frame::Pieces;

use super::{Contents, Field, Out, delimited_len, put_delimited};
use crate::ConvertError;
use crate::convert_error::Place;

/// The numbers of key and value in every entry.
const KEY: u32 = 1;
const VALUE: u32 = 2;

/// An entry: a message in which a default key or value is left out.
struct Entry<'a>(&'a String, u64);

impl Contents for Entry<'_> {
    fn size(&self) -> usize {
        self.0.field_len(KEY) + self.1.field_len(VALUE)
    }

    fn put(&self, buffer: &mut Pieces) {
        self.0.put_field(KEY, buffer);
        self.1.put_field(VALUE, buffer);
    }
}

/// One entry after the other, in ascending order of the key.
impl Out for Counters {
    fn field_len(&self, number: u32) -> usize {
        self.iter().map(|(name, value)| delimited_len(&Entry(name, *value), number)).sum()
    }

    fn put_field(&self, number: u32, buffer: &mut Pieces) {
        for (name, value) in self {
            put_delimited(&Entry(name, *value), number, buffer);
        }
    }
}

impl Field for Counters {
    type Wire = Self;

    fn of_wire(wire: Self, _: Place) -> Result<Self, ConvertError> {
        Ok(wire)
    }
}
