//! The target `download_response`.
#![no_main]

zccache_ipc_fuzz::target!("download_response");
