//! The target `frame`.
#![no_main]

zccache_ipc_fuzz::target!("frame");
