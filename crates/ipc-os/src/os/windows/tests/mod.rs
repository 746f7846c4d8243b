//! The behaviour that pipes share with sockets, and the behaviour of Windows only.

use std::{process, time::Duration, time::Instant};

use crate::Endpoint;

mod claim;
#[cfg(feature = "signals")]
mod console;
mod files;
mod helper;
mod pipes;
mod programs;

fn endpoint(name: &str) -> Endpoint {
    Endpoint::new(format!(r"\\.\pipe\zccache-test-{}-{name}", process::id()))
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}
