//! The download daemon, which downloads files for many clients.
//!
//! [`Jobs`] holds one download for each destination. A download runs while a client waits for it, and uses
//! several segments if the server supports ranges. The bytes are in `<destination>.part` and the state of
//! the download in a file beside it, so that the next attempt resumes it.
//!
//! [`daemon`] runs the downloads as the only download daemon of an endpoint; [`run`] is the program
//! `zccache-download-daemon`.
//!
//! Decided without I/O: `plan` (complete and missing bytes), `retry` (retries and pauses), `redirect`
//! (targets of redirects). Not here: wires and sockets (`zccache_ipc::download`).
#![forbid(unsafe_code)]

mod args;
pub mod daemon;
mod fetch;
mod job;
mod jobs;
mod log;
mod part;
mod plan;
mod problem;
mod program;
mod redirect;
mod resume;
mod retry;
mod source;
mod transfer;
mod work;

pub use args::{Args, PROGRAM};
pub use jobs::{Jobs, Limits, Part};
pub use problem::Problem;
pub use program::run;
