//! A zccache daemon on an embedded store: the reference for those who embed the layer.
//!
//! Each concern is a module of its own: [`store`] keeps artifacts, [`sessions`] counts what happened
//! in a build, [`service`] answers requests with both.
//!
//! Not here: anything about wires or sockets, which is `zccache-ipc`'s; running tools.
#![forbid(unsafe_code)]

pub mod lifecycle;
pub mod rolling_file;
pub mod service;
pub mod sessions;
pub mod store;

mod chain;
mod counters;

pub use chain::chain;
