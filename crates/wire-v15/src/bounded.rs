//! A writer that refuses to write above the frame limit, and shares what it may.

use std::io;

use bytes::Bytes;
use wire_frame::Pieces;

/// Appends to [`Pieces`] up to a limit; what goes beyond it is an error, not an allocation.
///
/// A serializer hands over slices, which cannot be shared. Therefore those byte strings of the message that
/// are worth it are given beforehand, and recognised by where they lie.
pub(crate) struct Bounded<'a> {
    pieces: &'a mut Pieces,
    room: usize,
    /// The byte strings to be shared that have not come yet, in the order in which they will.
    to_come: &'a [&'a Bytes],
}

impl<'a> Bounded<'a> {
    pub(crate) fn new(pieces: &'a mut Pieces, room: usize, to_come: &'a [&'a Bytes]) -> Self {
        Self { pieces, room, to_come }
    }
}

impl io::Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(room) = self.room.checked_sub(bytes.len()) else {
            return Err(io::ErrorKind::FileTooLarge.into());
        };
        self.room = room;
        match self.to_come {
            [next, rest @ ..] if std::ptr::eq(&next[..], bytes) => {
                self.pieces.push(next);
                self.to_come = rest;
            }
            _ => self.pieces.copied().extend_from_slice(bytes),
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
