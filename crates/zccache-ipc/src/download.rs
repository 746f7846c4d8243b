//! The download daemon's protocol: client, server, and the types of both.

pub use ipc_client::download::*;
pub use ipc_server::download::*;
