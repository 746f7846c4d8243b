//! The target `v16_request`.
#![no_main]

zccache_ipc_fuzz::target!("v16_request");
