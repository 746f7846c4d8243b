//! A zccache daemon on an embedded store: the reference for those who embed the layer.
//!
//! Each concern is a module of its own: [`store`] keeps artifacts, [`sessions`] counts what happened
//! in a build, [`service`] answers requests with both, [`start`] makes a process of it that is the one
//! daemon of its endpoint.
//!
//! Not here: anything about wires or sockets, which is `zccache-ipc`'s; running tools.
#![forbid(unsafe_code)]

pub mod store;
