//! A buffer that refuses to grow above the frame limit.

use std::io;

use bytes::BytesMut;

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

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.room.checked_sub(bytes.len()) {
            Some(room) => {
                self.room = room;
                self.buffer.extend_from_slice(bytes);
                Ok(())
            }
            None => Err(io::ErrorKind::FileTooLarge.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
