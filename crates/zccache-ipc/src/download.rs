//! The download daemon's protocol: a client, a server, and what a server needs.

pub use ipc_client::download::*;
pub use ipc_server::download::*;
