//! Writers that refuse to write above the frame limit.

use std::io;

use bytes::{Bytes, BytesMut};
use wire_frame::Pieces;

/// Appends to a buffer, and fails above a limit instead of allocating.
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

    // Most writes are 8 bytes long; inlined, they cost no call.
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

/// Appends as [`Bounded`], but shares the large byte strings of a message.
///
/// A serializer passes slices, which cannot be shared. The caller therefore lists the large byte strings, and
/// the writer recognises each by its address.
pub(crate) struct Sharing<'a> {
    pieces: &'a mut Pieces,
    room: usize,
    /// The byte strings to share that the serializer has not passed yet, in its order.
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
