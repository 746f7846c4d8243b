//! Outgoing bytes: written bytes, and shared byte strings between them.

use std::io::IoSlice;

use bytes::{Buf, Bytes, BytesMut};

/// Outgoing frames whose large byte strings are shared, not copied.
///
/// One vectored write sends the shared byte strings from the memory that they are in.
///
/// ```
/// use bytes::{Buf as _, Bytes};
/// use wire_frame::Pieces;
///
/// let payload = Bytes::from(vec![7; 1 << 20]);
/// let mut pieces = Pieces::new();
/// pieces.copied().extend_from_slice(b"head");
/// pieces.push(&payload);
/// assert_eq!(pieces.len(), 4 + payload.len());
/// assert_eq!(pieces.unsent().chunk(), b"head");
/// ```
#[derive(Debug, Default)]
pub struct Pieces {
    copied: BytesMut,
    shared: Vec<Shared>,
    shared_len: usize,
    copies_all: bool,
}

/// A shared byte string and its place among the written bytes.
#[derive(Debug)]
struct Shared {
    /// The number of written bytes before the byte string.
    at: usize,
    bytes: Bytes,
}

/// A position in [`Pieces`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    copied: usize,
    shared: usize,
}

impl Pieces {
    /// The least length of a byte string that is shared.
    ///
    /// Copying a shorter one costs less than another slice in the vectored write.
    pub const SHARED_FROM: usize = 16 * 1024;

    /// Makes an empty value.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a value that appends to `buffer` and shares large byte strings.
    #[must_use]
    pub fn in_buffer(buffer: BytesMut) -> Self {
        Self { copied: buffer, ..Self::default() }
    }

    /// Makes a value that appends to `buffer` and copies every byte string.
    #[must_use]
    pub fn all_in(buffer: BytesMut) -> Self {
        Self { copied: buffer, copies_all: true, ..Self::default() }
    }

    /// Returns the buffer of written bytes.
    ///
    /// The buffer has every byte if the value was made by [`all_in`](Self::all_in).
    #[must_use]
    pub fn into_buffer(self) -> BytesMut {
        self.copied
    }

    /// Drops the shared byte strings and returns the buffer of written bytes.
    pub fn take_buffer(&mut self) -> BytesMut {
        self.shared.clear();
        self.shared_len = 0;
        std::mem::take(&mut self.copied)
    }

    /// Returns the number of bytes, written and shared.
    #[must_use]
    pub fn len(&self) -> usize {
        self.copied.len() + self.shared_len
    }

    /// Returns true if there are no bytes to send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the buffer of written bytes, for appending.
    ///
    /// Bytes that were written before a shared byte string stay before it.
    pub const fn copied(&mut self) -> &mut BytesMut {
        &mut self.copied
    }

    /// Reserves memory for `len` bytes, unless a byte string of that length is shared.
    pub fn reserve(&mut self, len: usize) {
        if !self.shares(len) {
            self.copied.reserve(len);
        }
    }

    /// Returns true if a byte string of `len` bytes would be shared.
    #[must_use]
    pub const fn shares(&self, len: usize) -> bool {
        !self.copies_all && len >= Self::SHARED_FROM
    }

    /// Appends a byte string: shared if it is large, copied otherwise.
    pub fn push(&mut self, bytes: &Bytes) {
        if self.shares(bytes.len()) {
            self.shared_len += bytes.len();
            self.shared.push(Shared { at: self.copied.len(), bytes: bytes.clone() });
        } else {
            self.copied.extend_from_slice(bytes);
        }
    }

    /// Returns the position of the end.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark { copied: self.copied.len(), shared: self.shared.len() }
    }

    /// Removes the bytes that were appended after `mark`.
    pub fn truncate(&mut self, mark: Mark) {
        self.copied.truncate(mark.copied);
        for shared in self.shared.drain(mark.shared.min(self.shared.len())..) {
            self.shared_len -= shared.bytes.len();
        }
    }

    /// Overwrites written bytes, beginning `offset` bytes after `mark`.
    ///
    /// # Panics
    ///
    /// If these bytes have not been written.
    pub fn overwrite(&mut self, mark: Mark, offset: usize, bytes: &[u8]) {
        let start = mark.copied + offset;
        self.copied[start..start + bytes.len()].copy_from_slice(bytes);
    }

    /// Removes all bytes, and frees a buffer with room for more than `kept` bytes.
    pub fn clear(&mut self, kept: usize) {
        self.copied.clear();
        self.shared.clear();
        self.shared_len = 0;
        if self.copied.capacity() > kept {
            self.copied = BytesMut::new();
        }
    }

    /// Returns the bytes in order, for vectored writes.
    #[must_use]
    pub fn unsent(&self) -> Unsent<'_> {
        Unsent { pieces: self, copied: 0, shared: 0, offset: 0, left: self.len() }
    }

    /// Returns all bytes as one slice, or `None` if a byte string is shared.
    #[must_use]
    pub fn as_slice(&self) -> Option<&[u8]> {
        self.shared.is_empty().then_some(&self.copied)
    }
}

/// The bytes of [`Pieces`] that are not sent yet.
#[derive(Debug)]
pub struct Unsent<'a> {
    pieces: &'a Pieces,
    /// Number of written bytes that are sent.
    copied: usize,
    /// Number of shared byte strings that are sent.
    shared: usize,
    /// Number of bytes of the next shared byte string that are sent.
    offset: usize,
    left: usize,
}

impl<'a> Unsent<'a> {
    /// Returns the slices that are not sent yet, without empty ones.
    fn slices(&self) -> impl Iterator<Item = &'a [u8]> {
        let pieces = self.pieces;
        let (mut copied, mut offset) = (self.copied, self.offset);
        let shared = pieces.shared[self.shared..].iter().flat_map(move |shared| {
            let before = &pieces.copied[copied..shared.at];
            copied = shared.at;
            [before, &shared.bytes[std::mem::take(&mut offset)..]]
        });
        let last = pieces.shared.last().map_or(0, |shared| shared.at).max(self.copied);
        shared.chain([&pieces.copied[last..]]).filter(|slice| !slice.is_empty())
    }
}

impl Buf for Unsent<'_> {
    fn remaining(&self) -> usize {
        self.left
    }

    fn chunk(&self) -> &[u8] {
        self.slices().next().unwrap_or_default()
    }

    fn advance(&mut self, mut count: usize) {
        assert!(count <= self.left, "cannot advance past the end");
        self.left -= count;
        while count > 0 {
            let next = self.pieces.shared.get(self.shared);
            let written = next.map_or(self.pieces.copied.len(), |shared| shared.at) - self.copied;
            let step = count.min(written);
            self.copied += step;
            count -= step;
            if let Some(shared) = next.filter(|_| step == written) {
                let step = count.min(shared.bytes.len() - self.offset);
                self.offset += step;
                count -= step;
                if self.offset == shared.bytes.len() {
                    self.shared += 1;
                    self.offset = 0;
                }
            }
        }
    }

    fn chunks_vectored<'b>(&'b self, slices: &mut [IoSlice<'b>]) -> usize {
        let mut count = 0;
        for (place, slice) in slices.iter_mut().zip(self.slices()) {
            *place = IoSlice::new(slice);
            count += 1;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> (Pieces, Vec<u8>) {
        let large = |byte: u8| Bytes::from(vec![byte; Pieces::SHARED_FROM]);
        let mut pieces = Pieces::new();
        pieces.push(&large(1));
        pieces.copied().extend_from_slice(b"between");
        pieces.push(&Bytes::from_static(b" and short "));
        pieces.push(&large(2));
        pieces.push(&large(3));
        pieces.copied().extend_from_slice(b"end");
        let flat = [&large(1)[..], b"between and short ", &large(2), &large(3), b"end"].concat();
        (pieces, flat)
    }

    #[test]
    fn pieces_yield_the_same_bytes_as_one_buffer_in_any_steps() {
        let (pieces, flat) = sample();
        assert_eq!((pieces.len(), pieces.shared.len()), (flat.len(), 3));
        for step in [1, 7, 1000, Pieces::SHARED_FROM, Pieces::SHARED_FROM + 1, flat.len()] {
            let mut unsent = pieces.unsent();
            let mut taken = Vec::new();
            while unsent.has_remaining() {
                let mut slices = [IoSlice::new(&[]); 2];
                let count = unsent.chunks_vectored(&mut slices);
                let chunk: Vec<u8> =
                    slices[..count].iter().flat_map(|slice| slice.to_vec()).take(step).collect();
                assert_eq!(slices[0].first(), unsent.chunk().first());
                taken.extend_from_slice(&chunk);
                unsent.advance(chunk.len());
            }
            assert!(taken == flat, "in steps of {step}");
        }
    }

    #[test]
    fn large_byte_strings_are_not_copied_unless_that_is_asked_for() {
        let large = Bytes::from(vec![7; Pieces::SHARED_FROM]);
        let mut pieces = Pieces::new();
        pieces.push(&large);
        assert_eq!(pieces.unsent().chunk().as_ptr(), large.as_ptr());
        assert_eq!(pieces.as_slice(), None);
        let mut pieces = Pieces::all_in(BytesMut::from(&b"x"[..]));
        pieces.push(&large);
        assert_eq!(pieces.as_slice().map(<[u8]>::len), Some(1 + large.len()));
        assert_eq!(pieces.into_buffer().len(), 1 + large.len());
    }

    #[test]
    fn truncating_to_a_mark_removes_later_bytes() {
        let (mut pieces, flat) = sample();
        let mark = pieces.mark();
        pieces.push(&Bytes::from(vec![9; Pieces::SHARED_FROM]));
        pieces.copied().extend_from_slice(b"more");
        pieces.truncate(mark);
        assert_eq!(pieces.len(), flat.len());
        pieces.clear(1 << 20);
        assert!(pieces.is_empty() && pieces.copied().capacity() > 0);
        pieces.clear(0);
        assert_eq!(pieces.copied().capacity(), 0);
    }
}
