//! A buffer pool for each thread, for small buffers.
//!
//! A connection holds a buffer only while a frame is in transit. An idle connection therefore holds no
//! buffer, and a connection for one call allocates none.

use std::cell::RefCell;

use bytes::BytesMut;
use wire_frame::Pieces;

/// Largest buffer that goes back to the pool; a larger one is freed after use.
pub const KEPT: usize = 64 * 1024;

/// Largest number of buffers in a thread's pool.
const POOL_SIZE: usize = 8;

/// Capacity of a new buffer: enough for nearly every request.
const NEW_CAPACITY: usize = 4 * 1024;

thread_local! {
    static SPARE: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
}

/// Returns an empty buffer, from the pool if it has one.
pub fn take() -> BytesMut {
    // The pool of a thread that is ending may be gone.
    let spare = SPARE.try_with(|spare| spare.borrow_mut().pop()).ok().flatten();
    spare.unwrap_or_else(|| BytesMut::with_capacity(NEW_CAPACITY))
}

/// Returns `buffer` to the pool; frees it if it is too large or the pool is full.
pub fn give(mut buffer: BytesMut) {
    buffer.clear();
    if buffer.capacity() == 0 || buffer.capacity() > KEPT {
        return;
    }
    let _ = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        if spare.len() < POOL_SIZE {
            spare.push(buffer);
        }
    });
}

/// Returns empty pieces with a buffer of the pool.
pub fn take_pieces() -> Pieces {
    Pieces::in_buffer(take())
}

/// Gives `pieces` a buffer of the pool if they have none.
pub fn make_room(pieces: &mut Pieces) {
    if pieces.copied().capacity() == 0 {
        *pieces.copied() = take();
    }
}

/// Empties `pieces` and returns their buffer to the pool.
pub fn give_pieces(pieces: &mut Pieces) {
    give(pieces.take_buffer());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_reused_up_to_the_size_of_the_pool() {
        let mut buffer = take();
        buffer.extend_from_slice(b"old");
        let at = buffer.as_ptr();
        give(buffer);
        let again = take();
        assert_eq!((again.as_ptr(), again.len()), (at, 0));
        for _ in 0..2 * POOL_SIZE {
            give(BytesMut::with_capacity(100));
        }
        assert_eq!(SPARE.with_borrow(Vec::len), POOL_SIZE);
        SPARE.with_borrow_mut(Vec::clear);
        give(BytesMut::with_capacity(KEPT + 1));
        assert_eq!(SPARE.with_borrow(Vec::len), 0);
    }
}
