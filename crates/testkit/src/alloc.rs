//! An allocator that counts the requests of each thread.
//!
//! Maintained crates of this kind count allocations and bytes. None reports the largest single request,
//! which a test of hostile lengths needs.
#![expect(unsafe_code, reason = "an allocator cannot be written without; each method only forwards")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's allocator, counting for [`measure`].
///
/// A test binary that measures installs it, which is safe:
///
/// ```
/// #[global_allocator]
/// static ALLOC: testkit::CountingAlloc = testkit::CountingAlloc;
///
/// let (bytes, report) = testkit::measure(|| vec![0_u8; 1 << 20]);
/// assert_eq!(report.largest, bytes.len());
/// ```
#[derive(Debug, Default, Clone, Copy)]
pub struct CountingAlloc;

/// An allocator that counts only while [`measure`] runs on some thread.
///
/// Counting therefore does not slow down timed code in the same program. Figures of held memory are
/// meaningless, because earlier allocations are not counted.
#[derive(Debug, Default, Clone, Copy)]
pub struct CountingWhenAsked;

/// Number of threads that measure.
static ASKED: AtomicUsize = AtomicUsize::new(0);

fn is_asked() -> bool {
    ASKED.load(Ordering::Relaxed) > 0
}

/// The requests of one thread during one [`measure`].
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// The largest single request, in bytes.
    ///
    /// A buffer that grew counts with its new size.
    pub largest: usize,
    /// The most bytes held at one time, without the bytes held at the start.
    pub peak: usize,
    /// Bytes held at the end minus bytes held at the start.
    ///
    /// Negative if older memory was freed.
    pub current: isize,
    /// Number of requests, growing and shrinking included.
    pub count: usize,
    /// The bytes of all requests, released or not.
    ///
    /// A buffer that grew counts with its new size.
    pub total: usize,
}

thread_local! {
    /// The figures of this thread since its innermost [`measure`] began.
    static SEEN: Cell<Report> = const { Cell::new(Report { largest: 0, peak: 0, current: 0, count: 0, total: 0 }) };
}

/// Runs `work`, and returns its result and the requests of this thread.
///
/// Other threads do not count, so tests may run in parallel, and work on another thread is not seen.
/// Measures may be nested: the outer one includes the inner one.
///
/// # Panics
///
/// If [`CountingAlloc`] is not the global allocator: figures of zero would prove nothing.
#[track_caller]
pub fn measure<T>(work: impl FnOnce() -> T) -> (T, Report) {
    let _asking = Asking::begin();
    let before = SEEN.replace(Report::default());
    drop(std::hint::black_box(Box::new(0_u8)));
    let installed = SEEN.replace(Report::default()).count > 0;
    assert!(installed, "CountingAlloc is not this program's #[global_allocator]");

    let result = work();
    let seen = SEEN.get();
    SEEN.set(before.followed_by(seen));
    (result, seen)
}

/// Guard that counts while it lives.
struct Asking;

impl Asking {
    fn begin() -> Self {
        ASKED.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        ASKED.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Report {
    fn followed_by(self, next: Self) -> Self {
        let next_peak = self.current.saturating_add_unsigned(next.peak);
        Self {
            largest: self.largest.max(next.largest),
            peak: self.peak.max(usize::try_from(next_peak).unwrap_or(0)),
            current: self.current.saturating_add(next.current),
            count: self.count + next.count,
            total: self.total + next.total,
        }
    }

    /// Records a request that replaces `old` bytes (0: none) by `new` bytes.
    fn with_request(self, old: usize, new: usize) -> Self {
        let current = self.current.saturating_sub_unsigned(old).saturating_add_unsigned(new);
        Self {
            largest: self.largest.max(new),
            peak: self.peak.max(usize::try_from(current).unwrap_or(0)),
            current,
            count: self.count + 1,
            total: self.total + new,
        }
    }
}

/// Updates the figures of this thread, unless the thread is ending.
fn note_request(old: usize, new: usize) {
    let _ = SEEN.try_with(|seen| seen.set(seen.get().with_request(old, new)));
}

fn note_release(size: usize) {
    let _ = SEEN.try_with(|seen| {
        let report = seen.get();
        seen.set(Report { current: report.current.saturating_sub_unsigned(size), ..report });
    });
}

// SAFETY: every method hands its arguments to `System` unchanged and returns what that returned. The
// bookkeeping beside it is a `Cell` of plain numbers: it does not allocate, unwind or have a destructor.
unsafe impl GlobalAlloc for CountingAlloc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note_request(0, layout.size());
        // SAFETY: the caller keeps `alloc`'s contract, and `System` has the same one.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note_request(0, layout.size());
        // SAFETY: the caller keeps `alloc_zeroed`'s contract, and `System` has the same one.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        note_release(layout.size());
        // SAFETY: the pointer came from this allocator with this layout, and so from `System`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        note_request(layout.size(), new_size);
        // SAFETY: the pointer came from this allocator with this layout, and so from `System`.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}

// SAFETY: both allocators are the system's, so one may free memory from the other.
unsafe impl GlobalAlloc for CountingWhenAsked {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_asked() {
            // SAFETY: the caller keeps the contract, and it is the same one.
            return unsafe { CountingAlloc.alloc(layout) };
        }
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if is_asked() {
            // SAFETY: as above.
            return unsafe { CountingAlloc.alloc_zeroed(layout) };
        }
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if is_asked() {
            // SAFETY: as above.
            return unsafe { CountingAlloc.dealloc(pointer, layout) };
        }
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if is_asked() {
            // SAFETY: as above.
            return unsafe { CountingAlloc.realloc(pointer, layout, new_size) };
        }
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[global_allocator]
    static ALLOC: CountingAlloc = CountingAlloc;

    #[track_caller]
    fn check(work: impl FnOnce(), expected: Report) {
        assert_eq!(measure(work).1, expected);
    }

    #[test]
    fn figures_count_the_measured_work_only() {
        check(|| {}, Report::default());
        check(
            || drop(Vec::<u8>::with_capacity(1000)),
            Report { largest: 1000, peak: 1000, current: 0, count: 1, total: 1000 },
        );
        check(
            || {
                let mut grown = Vec::<u8>::with_capacity(1000);
                grown.reserve_exact(3000);
                std::mem::forget(grown);
            },
            Report { largest: 3000, peak: 3000, current: 3000, count: 2, total: 4000 },
        );
        check(
            || {
                drop(Vec::<u8>::with_capacity(700));
                let one = Vec::<u8>::with_capacity(400);
                let two = Vec::<u8>::with_capacity(500);
                drop((one, two));
            },
            Report { largest: 700, peak: 900, current: 0, count: 3, total: 1600 },
        );
    }

    #[test]
    fn memory_from_before_may_be_freed() {
        let old = Vec::<u8>::with_capacity(1000);
        check(|| drop(old), Report { largest: 0, peak: 0, current: -1000, count: 0, total: 0 });
    }

    #[test]
    fn an_outer_measure_includes_the_inner_one() {
        let work = || {
            let kept = Vec::<u8>::with_capacity(100);
            let (_, inner) = measure(|| drop(Vec::<u8>::with_capacity(1000)));
            drop(kept);
            inner
        };
        let (inner, outer) = measure(work);
        assert_eq!(inner, Report { largest: 1000, peak: 1000, current: 0, count: 1, total: 1000 });
        assert_eq!(outer, Report { largest: 1000, peak: 1100, current: 0, count: 2, total: 1100 });
    }

    #[test]
    fn other_threads_are_not_counted() {
        let other = std::thread::spawn(|| drop(Vec::<u8>::with_capacity(1 << 20)));
        let ((), report) = measure(|| {
            let _ = other.join();
        });
        assert!(report.largest < 1 << 20, "{report:?}");
    }
}
