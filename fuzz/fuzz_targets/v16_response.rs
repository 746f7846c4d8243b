//! The target `v16_response`.
#![no_main]

zccache_ipc_fuzz::target!("v16_response");
