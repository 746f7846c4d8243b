//! Servers of zccache daemons: the service trait, connections and their limits, and the host.
//!
//! A [`Server`] accepts connections on a listener, limits them, and answers requests through a [`Service`].
//! [`download`] has a server for the download daemon's protocol. An [`IpcListener`] is for programs that
//! send and receive single messages. A `Host` (feature `signals`) keeps a server at its endpoint as the only
//! daemon of the endpoint.
//!
//! Not here: the meaning of requests.
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod download;

mod extension;
#[cfg(feature = "signals")]
mod host;
#[cfg(feature = "running-process")]
mod identity;
mod listener;
mod server;
mod service;

pub use extension::Extension;
#[cfg(feature = "signals")]
pub use host::{Host, HostEnded, HostError, Program, build_runtime};
pub use ipc_connection::{IpcConnection, IpcError};
pub use listener::{IpcListener, ListenError};
pub use server::{DrainPolicy, Ended, ServeError, Served, Server, ServerConfig, ServerFigures, ServerHandle};
pub use service::{Caller, ConnectionId, Service};
