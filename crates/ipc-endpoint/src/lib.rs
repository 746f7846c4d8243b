//! Where a zccache daemon lives: names, directories, locks and sockets.
//!
//! The only crate that knows which operating system it runs on. Names follow the released rules byte
//! for byte (`spec/ENDPOINT.md`), and the platform they are for is a value; what is done with them
//! (`os`) is for the platform this program was built for.
//!
//! Not here: any message. This crate moves bytes and holds locks.

mod endpoint;

pub use endpoint::{Endpoint, EndpointError};
pub use ipc_path::Platform;
