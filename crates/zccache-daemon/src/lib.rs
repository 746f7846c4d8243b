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
pub mod rolling_file;
pub mod service;
pub mod sessions;
pub mod store;
pub mod tool;

#[cfg_attr(not(feature = "broker"), path = "announced_left_out.rs")]
mod announced;
mod args;
mod background;
mod chain;
mod counters;
mod error;
mod logging;
mod mismatches;
#[cfg_attr(not(feature = "manifest"), path = "registration_left_out.rs")]
mod registration;
mod serving;
mod settings;
#[cfg_attr(not(feature = "broker"), path = "standing_left_out.rs")]
mod standing;
mod start;
mod traffic;

pub use args::{Args, SpokenWires};
pub use chain::chain;
pub use error::StartError;
pub use mismatches::Mismatches;
pub use serving::Reason;
pub use start::{Outcome, start};
pub use traffic::Requests;
