//! A zccache daemon on an embedded store: the reference for those who embed the layer.
//!
//! Each concern is a module of its own: [`store`] keeps artifacts, [`sessions`] counts what happened
//! in a build, [`service`] answers requests with both, and [`start`] makes a process of it that is
//! the one daemon of its endpoint.
//!
//! Not here: anything about wires or sockets, which is `zccache-ipc`'s; running tools.
#![forbid(unsafe_code)]

pub mod lifecycle;
pub mod rolling_file;
pub mod service;
pub mod sessions;
pub mod store;

#[cfg_attr(not(feature = "broker"), path = "announced_left_out.rs")]
mod announced;
mod args;
mod background;
mod chain;
mod counters;
mod error;
mod logging;
mod serving;
mod settings;
#[cfg_attr(not(feature = "broker"), path = "standing_left_out.rs")]
mod standing;
mod start;
mod traffic;

pub use args::{Args, SpokenWires};
pub use chain::chain;
pub use error::StartError;
pub use serving::Reason;
pub use start::{Outcome, start};
pub use traffic::Requests;
