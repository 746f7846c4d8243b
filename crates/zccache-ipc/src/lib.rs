//! The local IPC layer of the zccache compiler cache.
//!
//! A short-lived client talks to a long-lived daemon on the same machine, and the two are rarely of the
//! same release. This crate is the one to depend on: [`Client`] and [`blocking::Client`] call a daemon,
//! [`Server`] and [`Service`] are one, [`IpcConnection`] and [`IpcListener`] carry single messages, and
//! [`endpoint`] says where a daemon lives, and [`ensure_daemon`] starts one. The messages are [`model`]; the
//! crates below are re-exported whole.
//!
//! Not here: any protocol. Bytes are the wires' affair, and which wire is [`wire_dispatch`]'s.
#![forbid(unsafe_code)]

pub mod blocking;
pub mod daemon;
pub mod download;
pub mod endpoint;

mod calling;
mod client;
mod config;
mod connection;
mod control;
#[cfg_attr(not(feature = "broker"), path = "dial_direct.rs")]
mod dial;
mod error;
mod extension;
mod families;
#[cfg(feature = "broker")]
mod identity;
mod inbound;
mod listener;
mod memory;
mod mux;
mod outbound;
mod patience;
mod reply;
mod server;
mod service;
mod spare;
mod timer;

pub use client::Client;
pub use config::ClientConfig;
pub use connection::{Connection, DEFAULT_CLIENT_RECV_TIMEOUT, IpcConnection, connect};
pub use control::{DaemonControlRequest, daemon_control_roundtrip, release_handles_roundtrip};
pub use daemon::{ensure_daemon, stop_daemon};
#[cfg(feature = "broker")]
pub use dial::{connect_daemon, connect_daemon_with_route};
pub use error::{CallError, IpcError};
pub use extension::Extension;
pub use ipc_model as model;
pub use listener::{IpcListener, ListenError};
#[cfg(feature = "broker")]
pub use rp_broker::{
    self,
    lane::{BrokerLane, BrokerRefusal, LaneFailure, RefusalKind, Route, WhyDirect},
};
#[cfg(feature = "manifest")]
pub use rp_manifest as manifest;
#[cfg(feature = "signals")]
pub use server::signals;
pub use server::{DrainPolicy, Ended, ServeError, Served, Server, ServerConfig, ServerFigures, ServerHandle};
pub use service::{Caller, ConnectionId, Service};
pub use wire_dispatch::{DecodedWireMessage, Ids, Lane, WirePolicy, Wires};
pub use {wire_dispatch, wire_frame, wire_v15, wire_v16};
