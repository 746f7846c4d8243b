//! The target `download_request`.
#![no_main]

zccache_ipc_fuzz::target!("download_request");
