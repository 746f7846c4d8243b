//! The behaviours that pipes share with sockets, and those of Windows alone.

use std::{process, time::Duration, time::Instant};

use crate::Endpoint;

mod claim;
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
