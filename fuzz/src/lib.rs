//! The decoders of `wire-conformance` as targets of libFuzzer.
#![forbid(unsafe_code)]

pub use libfuzzer_sys;
use wire_conformance::mutation::LARGEST_ALLOCATION;
use wire_conformance::targets::{Target, WIRES};

/// Counts allocations, so that a large one is noticed without a sanitizer too.
#[global_allocator]
static ALLOC: testkit::CountingWhenAsked = testkit::CountingWhenAsked;

/// Returns every decoder.
pub fn all() -> impl Iterator<Item = &'static Target> {
    #[cfg(feature = "files")]
    let files = wire_conformance::files::FILES;
    #[cfg(not(feature = "files"))]
    let files: &[Target] = &[];
    WIRES.iter().chain(files)
}

/// Runs the decoder `slug` over `bytes`.
///
/// # Panics
///
/// If there is no such decoder, it panics, or one allocation is above the limit.
pub fn run(slug: &str, bytes: &[u8]) {
    let target = all().find(|target| target.slug == slug).expect("a decoder of this name");
    let ((), report) = testkit::measure(|| (target.run)(bytes));
    assert!(report.largest <= LARGEST_ALLOCATION, "one allocation of {} bytes", report.largest);
}

/// Makes the program of one target.
#[macro_export]
macro_rules! target {
    ($slug:literal) => {
        $crate::libfuzzer_sys::fuzz_target!(|bytes: &[u8]| $crate::run($slug, bytes));
    };
}
