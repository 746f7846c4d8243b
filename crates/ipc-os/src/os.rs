//! The platforms' code, with the same items on each. The crate's only unsafe code is in its modules.

#[cfg_attr(unix, path = "os/unix/mod.rs")]
#[cfg_attr(windows, path = "os/windows/mod.rs")]
mod sys;

#[cfg(not(any(target_os = "linux", target_os = "android", windows)))]
mod unproved;

pub(crate) use sys::*;
#[cfg(not(any(target_os = "linux", target_os = "android", windows)))]
pub(crate) use unproved::{ProcessHandle, holds_lock, is_stopped, processor_time};
