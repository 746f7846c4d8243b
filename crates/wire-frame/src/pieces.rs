//! What is on its way out: bytes that were written, and byte strings that are shared.

use std::io::IoSlice;

use bytes::{Buf, Bytes, BytesMut};

/// Frames to be sent, in which large byte strings stand as they are: they are neither copied nor moved,
/// and one vectored write sends them from where they lie.
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

/// A byte string that stands between two bytes that were written.
#[derive(Debug)]
struct Shared {
    /// How many of the written bytes stand before it.
    at: usize,
    bytes: Bytes,
}

/// How far [`Pieces`] went at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    copied: usize,
    shared: usize,
}

impl Pieces {
    /// A byte string of at least this many bytes is shared; copying a shorter one costs less than telling
    /// the kernel where it is.
    pub const SHARED_FROM: usize = 16 * 1024;

    /// Makes a place for frames.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends to `buffer`, and shares large byte strings.
    #[must_use]
    pub fn in_buffer(buffer: BytesMut) -> Self {
        Self { copied: buffer, ..Self::default() }
    }

    /// Appends to `buffer`, and shares nothing.
    #[must_use]
    pub fn all_in(buffer: BytesMut) -> Self {
        Self { copied: buffer, copies_all: true, ..Self::default() }
    }

    /// The buffer, with what was written to it: everything, where [`all_in`](Self::all_in) it was.
    #[must_use]
    pub fn into_buffer(self) -> BytesMut {
        self.copied
    }

    /// Lets go of everything, and hands out the buffer as it is.
    pub fn take_buffer(&mut self) -> BytesMut {
        self.shared.clear();
        self.shared_len = 0;
        std::mem::take(&mut self.copied)
    }

    /// The bytes in total.
    #[must_use]
    pub fn len(&self) -> usize {
        self.copied.len() + self.shared_len
    }

    /// Whether there is nothing to send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes that were written, to be appended to. Those before a shared byte string stay before it.
    pub const fn copied(&mut self) -> &mut BytesMut {
        &mut self.copied
    }

    /// Makes room for a frame of `len` bytes, of which large byte strings need none where they are shared.
    pub fn reserve(&mut self, len: usize) {
        if !self.shares(len) {
            self.copied.reserve(len);
        }
    }

    /// Whether a byte string of `len` bytes would be shared.
    #[must_use]
    pub const fn shares(&self, len: usize) -> bool {
        !self.copies_all && len >= Self::SHARED_FROM
    }

    /// Appends a byte string: shared where it is large, else copied.
    pub fn push(&mut self, bytes: &Bytes) {
        if self.shares(bytes.len()) {
            self.shared_len += bytes.len();
            self.shared.push(Shared { at: self.copied.len(), bytes: bytes.clone() });
        } else {
            self.copied.extend_from_slice(bytes);
        }
    }

    /// Where it ends now.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark { copied: self.copied.len(), shared: self.shared.len() }
    }

    /// Takes back what was appended since `mark`.
    pub fn truncate(&mut self, mark: Mark) {
        self.copied.truncate(mark.copied);
        for shared in self.shared.drain(mark.shared.min(self.shared.len())..) {
            self.shared_len -= shared.bytes.len();
        }
    }

    /// Overwrites bytes that were written first after `mark`, `offset` bytes on.
    ///
    /// # Panics
    ///
    /// Where these bytes have not been written.
    pub fn overwrite(&mut self, mark: Mark, offset: usize, bytes: &[u8]) {
        let start = mark.copied + offset;
        self.copied[start..start + bytes.len()].copy_from_slice(bytes);
    }

    /// Lets go of everything, and of the room for more than `kept` written bytes.
    pub fn clear(&mut self, kept: usize) {
        self.copied.clear();
        self.shared.clear();
        self.shared_len = 0;
        if self.copied.capacity() > kept {
            self.copied = BytesMut::new();
        }
    }

    /// The bytes in their order, to be sent with vectored writes.
    #[must_use]
    pub fn unsent(&self) -> Unsent<'_> {
        Unsent { pieces: self, copied: 0, shared: 0, offset: 0, left: self.len() }
    }

    /// Whether all of it is one slice: that which was written.
    #[must_use]
    pub fn as_slice(&self) -> Option<&[u8]> {
        self.shared.is_empty().then_some(&self.copied)
    }
}

/// What of [`Pieces`] has not been sent yet.
#[derive(Debug)]
pub struct Unsent<'a> {
    pieces: &'a Pieces,
    /// Written bytes that have been sent.
    copied: usize,
    /// Shared byte strings that have been sent.
    shared: usize,
    /// Bytes of the next shared one that have been sent.
    offset: usize,
    left: usize,
}

impl<'a> Unsent<'a> {
    /// The slices that are left, up to as many as fit, without empty ones.
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
        assert!(count <= self.left, "no more than there is can be sent");
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
    fn the_bytes_are_those_of_one_buffer_however_they_are_taken() {
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
    fn what_was_appended_can_be_taken_back() {
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
