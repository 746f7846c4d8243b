//! A connection that carries messages, and the parts that client and server share.
//!
//! [`Connection`] sends and receives messages of every lane over any byte stream. `ipc-client` and
//! `ipc-server` build their own loops from the modules: the receive buffer ([`inbound`]), writing
//! ([`outbound`]), a buffer pool ([`spare`]), deadlines ([`timer`]), and the check that a reply belongs to
//! its request ([`reply`]).
//!
//! Not here: calls and retries (`ipc-client`); accepting connections and limits (`ipc-server`).
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod connection;
mod error;
pub mod inbound;
pub mod outbound;
pub mod reply;
pub mod spare;
pub mod timer;

pub use connection::{
    Connection, DEFAULT_CLIENT_RECV_TIMEOUT, DEFAULT_CONNECT_TIMEOUT, IpcConnection, connect,
};
pub use error::IpcError;
pub use inbound::Incoming;
