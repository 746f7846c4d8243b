//! The target `dispatch_server`.
#![no_main]

zccache_ipc_fuzz::target!("dispatch_server");
