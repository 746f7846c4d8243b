//! Small buffers of this thread that nobody uses at the moment.
//!
//! A connection holds a buffer only while a frame is under way, so an idle one costs none, and one that lives
//! for a single call allocates none.

use std::cell::RefCell;

use bytes::BytesMut;
use wire_frame::Pieces;

/// A buffer above this size is given back to the system after use.
pub const KEPT: usize = 64 * 1024;

/// Buffers that one thread keeps.
const MOST: usize = 8;

/// The least room of a buffer: that of nearly every request.
const LEAST: usize = 4 * 1024;

thread_local! {
    static SPARE: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
}

/// An empty buffer.
pub fn take() -> BytesMut {
    // A thread that is ending has none left.
    let spare = SPARE.try_with(|spare| spare.borrow_mut().pop()).ok().flatten();
    spare.unwrap_or_else(|| BytesMut::with_capacity(LEAST))
}

/// Keeps `buffer` for the next who needs one.
pub fn give(mut buffer: BytesMut) {
    buffer.clear();
    if buffer.capacity() == 0 || buffer.capacity() > KEPT {
        return;
    }
    let _ = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        if spare.len() < MOST {
            spare.push(buffer);
        }
    });
}

/// Empty pieces.
pub fn take_pieces() -> Pieces {
    Pieces::in_buffer(take())
}

/// Gives `pieces` a buffer, unless they have one.
pub fn make_room(pieces: &mut Pieces) {
    if pieces.copied().capacity() == 0 {
        *pieces.copied() = take();
    }
}

/// Keeps what was written to `pieces` for the next who needs a buffer, and leaves them empty.
pub fn give_pieces(pieces: &mut Pieces) {
    give(pieces.take_buffer());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_used_again_and_few_are_kept() {
        let mut buffer = take();
        buffer.extend_from_slice(b"old");
        let at = buffer.as_ptr();
        give(buffer);
        let again = take();
        assert_eq!((again.as_ptr(), again.len()), (at, 0));
        for _ in 0..2 * MOST {
            give(BytesMut::with_capacity(100));
        }
        assert_eq!(SPARE.with_borrow(Vec::len), MOST);
        SPARE.with_borrow_mut(Vec::clear);
        give(BytesMut::with_capacity(KEPT + 1));
        assert_eq!(SPARE.with_borrow(Vec::len), 0);
    }
}
