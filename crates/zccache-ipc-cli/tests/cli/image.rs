//! What the system loads before the program does anything, which a build pays for thousands of times.

use std::fs;

#[test]
fn the_program_needs_no_library_that_only_rare_verbs_would_use() {
    let image = fs::read(crate::support::path()).unwrap();
    let image = String::from_utf8_lossy(&image);
    // What it does need stands in it by name.
    assert!(image.contains("libc.so.6"));
    for library in ["libm.so", "libssl.so", "libcrypto.so", "libz.so"] {
        assert!(!image.contains(library), "{library}");
    }
}
