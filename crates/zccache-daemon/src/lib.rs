//! A zccache daemon on an embedded store: the reference for those who embed the layer.
//!
//! Each concern is a module of its own: [`store`] keeps artifacts, [`tool`] runs programs, [`sessions`] counts what happened
//! in a build, [`service`] answers requests with both, and [`start`] makes a process of it that is
//! the one daemon of its endpoint.
//!
//! Not here: anything about wires or sockets, which is `zccache-ipc`'s.
#![forbid(unsafe_code)]

pub mod compile;
pub mod exec;
pub mod fingerprint;
pub mod lifecycle;
mod links;
pub mod service;
pub mod sessions;
pub mod shelf;
pub mod store;
pub mod tool;

mod args;
mod background;
mod chain;
mod counters;
mod error;
mod logging;
mod mismatches;
mod paths;
#[cfg_attr(not(feature = "running-process"), path = "running_process_left_out.rs")]
mod running_process;
mod serving;
mod settings;
mod start;
mod traffic;

use running_process::{announced, registration, standing};

pub use args::{Args, SpokenWires};
pub use chain::chain;
pub use error::StartError;
pub use mismatches::Mismatches;
pub use serving::Reason;
pub use start::{Outcome, start};
pub use traffic::Requests;
