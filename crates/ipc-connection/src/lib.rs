//! One connection that carries messages, with what both of its ends need.
//!
//! [`Connection`] sends and receives messages of every lane over any byte stream. The modules below it hold
//! its parts, which `ipc-client` and `ipc-server` build their own loops from: the buffer that frames are read
//! into ([`inbound`]), writing ([`outbound`]), spare buffers ([`spare`]), deadlines ([`timer`]), and the check
//! that a reply belongs to its request ([`reply`]).
//!
//! Not here: calls and their retries, which are `ipc-client`'s; accepting connections and their limits, which
//! are `ipc-server`'s.
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
