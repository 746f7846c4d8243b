//! The target `v15_request`.
#![no_main]

zccache_ipc_fuzz::target!("v15_request");
