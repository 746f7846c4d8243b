//! Names and operating-system operations of a daemon's endpoint: `ipc-endpoint` and `ipc-os` in one.

pub use ipc_endpoint::*;
pub use ipc_os::*;
