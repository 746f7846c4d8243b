//! The client without an async runtime, for short-lived processes.

mod client;

pub use crate::daemon::ensure::ensure_daemon;
pub use crate::daemon::stop::stop_daemon;
pub use client::Client;
pub(crate) use client::{again_or, read_once, remaining};
