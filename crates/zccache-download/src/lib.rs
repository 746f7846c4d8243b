//! Downloading for many clients at once: what the download daemon does.
//!
//! [`Jobs`] holds one download for each destination. A download lives for as long as a client waits for it,
//! is cut into segments where the server gives out parts, and can be taken up again by the next attempt: what
//! there is lies in `<destination>.part`, and what is known of it beside that.
//!
//! [`daemon`] makes a process of them that is the one download daemon of its endpoint, and [`run`] the program
//! `zccache-download-daemon` of that.
//!
//! Decided without I/O: `plan` (which bytes are there), `retry` (when to try again), `redirect` (where an answer
//! leads), `resume` (what may be believed). Not here: wires and sockets, which are `zccache_ipc::download`'s.
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
