//! The allocator: that of the system, and counted only where counting is what is done.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, Ordering};

use testkit::{CountingAlloc, Report};

static COUNTING: AtomicBool = AtomicBool::new(false);

/// The system's allocator, behind [`CountingAlloc`] while [`measure`] runs: what is timed is not counted.
pub struct Switched;

/// What the calling thread allocates during `work`.
pub fn measure<T>(work: impl FnOnce() -> T) -> (T, Report) {
    COUNTING.store(true, Ordering::SeqCst);
    let result = testkit::measure(work);
    COUNTING.store(false, Ordering::SeqCst);
    result
}

// SAFETY: both allocators are the system's, so that what one gave the other may take back.
unsafe impl GlobalAlloc for Switched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if COUNTING.load(Ordering::Relaxed) {
            // SAFETY: the caller keeps the contract, and it is the same one.
            return unsafe { CountingAlloc.alloc(layout) };
        }
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if COUNTING.load(Ordering::Relaxed) {
            // SAFETY: as above.
            return unsafe { CountingAlloc.alloc_zeroed(layout) };
        }
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if COUNTING.load(Ordering::Relaxed) {
            // SAFETY: as above.
            return unsafe { CountingAlloc.dealloc(pointer, layout) };
        }
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if COUNTING.load(Ordering::Relaxed) {
            // SAFETY: as above.
            return unsafe { CountingAlloc.realloc(pointer, layout, new_size) };
        }
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}
