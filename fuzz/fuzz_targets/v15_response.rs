//! The target `v15_response`.
#![no_main]

zccache_ipc_fuzz::target!("v15_response");
