//! Writers that refuse to write above the frame limit.

use std::io;

use bytes::{Bytes, BytesMut};
use wire_frame::Pieces;

/// Appends to a buffer up to a limit; what goes beyond it is an error, not an allocation.
pub(crate) struct Bounded<'a> {
    buffer: &'a mut BytesMut,
    room: usize,
}

impl<'a> Bounded<'a> {
    pub(crate) fn new(buffer: &'a mut BytesMut, room: usize) -> Self {
        Self { buffer, room }
    }
}

impl io::Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    // Most writes are of 8 bytes, and where that is seen they are no call.
    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.room = less(self.room, bytes)?;
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// As [`Bounded`], and shares the large byte strings of a message.
///
/// A serializer hands over slices, which cannot be shared. Therefore those byte strings of the message that
/// are worth it are given beforehand, and recognised by where they lie.
pub(crate) struct Sharing<'a> {
    pieces: &'a mut Pieces,
    room: usize,
    /// The byte strings to be shared that have not come yet, in the order in which they will.
    to_come: &'a [&'a Bytes],
}

impl<'a> Sharing<'a> {
    pub(crate) fn new(pieces: &'a mut Pieces, room: usize, to_come: &'a [&'a Bytes]) -> Self {
        Self { pieces, room, to_come }
    }
}

impl io::Write for Sharing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.room = less(self.room, bytes)?;
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

#[inline]
fn less(room: usize, bytes: &[u8]) -> io::Result<usize> {
    room.checked_sub(bytes.len()).ok_or_else(|| io::ErrorKind::FileTooLarge.into())
}
