//! The target `manifest`.
#![no_main]

zccache_ipc_fuzz::target!("manifest");
