//! Where values are kept between runs.

use bytes::Bytes;

use crate::key::{Key, Kind};

/// Keeps values by key. A value that is lost costs time and nothing else.
pub trait Shelf {
    /// Returns the value of `key`, if there is one.
    fn fetch(&mut self, kind: Kind, key: &Key) -> Option<Bytes>;

    /// Keeps a value in the place of an earlier one, and returns true if it was taken.
    fn keep(&mut self, kind: Kind, key: &Key, value: Bytes) -> bool;
}
