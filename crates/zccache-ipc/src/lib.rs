//! The local IPC layer of the zccache compiler cache.
//!
//! A short-lived client talks to a long-lived daemon on the same machine, and both are rarely of the same
//! release. Programs depend on this crate: [`Client`] and [`blocking::Client`] call a daemon, [`Server`] and
//! [`Service`] make a daemon, [`IpcConnection`] and [`IpcListener`] carry single messages, [`endpoint`] names
//! a daemon's endpoint and files, and [`ensure_daemon`] starts a daemon. The messages are [`model`]; the wire
//! crates are re-exported as a whole.
//!
//! Not here: any code. This crate re-exports items of the other library crates.
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod download;
pub mod endpoint;

/// The code of the repository's pages, which a doc test compiles.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../../README.md")]
    mod readme {}
    #[doc = include_str!("../../../docs/embedding.md")]
    mod embedding {}
}

#[cfg(feature = "running-process")]
pub use ipc_client::{
    BrokerLane, BrokerRefusal, LaneFailure, RefusalKind, Route, WhyDirect, connect_daemon,
    connect_daemon_with_route, daemon_control_roundtrip_by,
};
pub use ipc_client::{
    CallError, Client, ClientConfig, DaemonControlRequest, OnProgress, blocking, daemon,
    daemon_control_roundtrip, ensure_daemon, release_handles_roundtrip, stop_daemon,
};
pub use ipc_connection::{
    Connection, DEFAULT_CLIENT_RECV_TIMEOUT, DEFAULT_CONNECT_TIMEOUT, Incoming, IpcConnection, IpcError,
    connect,
};
pub use ipc_model as model;
pub use ipc_server::{
    Caller, ConnectionId, DrainPolicy, Ended, Extension, IpcListener, ListenError, ServeError, Served,
    Server, ServerConfig, ServerFigures, ServerHandle, Service,
};
#[cfg(feature = "signals")]
pub use ipc_server::{Host, HostEnded, HostError, Program, build_runtime};
pub use wire_dispatch::{DecodedWireMessage, Ids, Lane, WirePolicy, Wires};
#[cfg(feature = "running-process")]
pub use {rp_broker, rp_manifest as manifest};
pub use {wire_dispatch, wire_frame, wire_v15, wire_v16};
