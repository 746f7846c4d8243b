//! Clients of a zccache daemon: async and blocking calls, and the daemon's start and stop.
//!
//! [`Client`] and [`blocking::Client`] call a daemon; `calling.rs` decides the steps of a call for both.
//! [`ensure_daemon`] starts a daemon if none answers, and [`stop_daemon`] ends one. [`download`] speaks to
//! the download daemon.
//!
//! Not here: any protocol. The wire crates encode and decode, and `wire-dispatch` decides which wire to speak
//! and which request may be sent again.
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod blocking;
pub mod daemon;
pub mod download;

mod busy_retries;
#[cfg(feature = "running-process")]
mod by_broker;
mod call_error;
mod calling;
mod client;
mod config;
mod control;
mod dial;
mod families;
mod memory;
mod mux;

#[cfg(feature = "running-process")]
pub use by_broker::{connect_daemon, connect_daemon_with_route};
pub use call_error::CallError;
pub use client::Client;
pub use config::{ClientConfig, OnProgress};
#[cfg(feature = "running-process")]
pub use control::daemon_control_roundtrip_by;
pub use control::{DaemonControlRequest, daemon_control_roundtrip, release_handles_roundtrip};
pub use daemon::{ensure_daemon, stop_daemon};
pub use ipc_connection::{
    Connection, DEFAULT_CLIENT_RECV_TIMEOUT, DEFAULT_CONNECT_TIMEOUT, IpcConnection, IpcError, connect,
};
#[cfg(feature = "running-process")]
pub use rp_broker::lane::{BrokerLane, BrokerRefusal, LaneFailure, RefusalKind, Route, WhyDirect};
