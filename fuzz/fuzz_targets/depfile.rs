//! The target `depfile`.
#![no_main]

zccache_ipc_fuzz::target!("depfile");
