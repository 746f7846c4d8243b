//! Where values are kept between runs.

use bytes::Bytes;

use crate::key::{Key, Kind};
use crate::reason::NotKept;

/// Keeps values by key. A value that is lost costs time and nothing else.
pub trait Shelf {
    /// Returns the value of `key`, if there is one.
    fn fetch(&mut self, kind: Kind, key: &Key) -> Option<Bytes>;

    /// Keeps a value in the place of an earlier one, and returns true if it was taken.
    fn keep(&mut self, kind: Kind, key: &Key, value: Bytes) -> bool;

    /// Asks for memory for `bytes` of a result; false if the result is not to be read or stored.
    ///
    /// A shelf of a process that works for many has a limit; the default has none.
    fn make_room(&mut self, _bytes: usize) -> bool {
        true
    }
}

/// Keeps a result; the first part comes last, because it says that the others are there.
pub(crate) fn keep_parts(shelf: &mut dyn Shelf, result: Key, parts: Vec<Bytes>) -> Result<(), NotKept> {
    for (number, part) in parts.into_iter().enumerate().rev() {
        let number = u32::try_from(number).map_err(|_| NotKept::TooLarge)?;
        let (kind, key) =
            if number == 0 { (Kind::Result, result) } else { (Kind::Part, result.part(number)) };
        if !shelf.keep(kind, &key, part) {
            return Err(NotKept::Refused);
        }
    }
    Ok(())
}
