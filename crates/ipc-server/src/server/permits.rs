//! The unit of the memory budget.

/// Bytes that do not count against the memory budget: the size of one read.
///
/// The limit of connections bounds them.
pub(super) const FREE: usize = ipc_connection::inbound::CHUNK;

/// Bytes for each permit of the memory budget.
const PERMIT: usize = 1024;

/// Returns the permits for `bytes` of memory; 0 up to [`FREE`].
pub(super) fn permits_for(bytes: usize) -> u32 {
    if bytes <= FREE { 0 } else { permits(bytes) }
}

/// Returns the permits for `bytes` of memory, however few.
pub(super) fn permits(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(PERMIT)).unwrap_or(u32::MAX).min(1 << 28)
}
