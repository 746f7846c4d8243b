//! The target `identity`.
#![no_main]

zccache_ipc_fuzz::target!("identity");
