//! The amount of freed memory that the C library's allocator keeps.

/// See [`crate::return_freed_blocks`].
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn return_freed_blocks(from: i32) -> bool {
    // SAFETY: changes a setting of the allocator, which takes its own lock; the value is in its legal range.
    unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, from) == 1 }
}

/// Other allocators have no such setting.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn return_freed_blocks(_: i32) -> bool {
    false
}
