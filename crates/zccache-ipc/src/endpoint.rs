//! Where a daemon lives, and what the operating system does there: `ipc-endpoint` and `ipc-os` in one.

pub use ipc_endpoint::*;
pub use ipc_os::*;
