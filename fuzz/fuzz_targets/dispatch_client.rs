//! The target `dispatch_client`.
#![no_main]

zccache_ipc_fuzz::target!("dispatch_client");
