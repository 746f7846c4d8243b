//! Tools for the tests of this workspace: a watchdog, temporary endpoints, processes that never outlive
//! their test, polling with a deadline, a web server, and a counting allocator.
//!
//! Every function panics with a message for the reader of a failed test instead of returning an error. The
//! crate depends on no other crate of this workspace, so that each of them can use it.
//!
//! Nothing here is shipped.
#![deny(unsafe_code)] // `alloc` implements `GlobalAlloc`, which cannot be done without

mod alloc;
mod endpoint;
mod process;
mod program;
mod wait;
mod watchdog;
mod web;

pub use alloc::{CountingAlloc, CountingWhenAsked, Report, measure};
pub use endpoint::TempEndpoint;
pub use process::{Finished, Process};
pub use program::{program, stand_in, stand_in_compiler};
pub use wait::{eventually, holds_within};
pub use watchdog::{Watchdog, watchdog};
pub use web::{Gate, WebAnswer, WebRequest, WebServer};
