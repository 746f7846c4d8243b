//! The target `response_file`.
#![no_main]

zccache_ipc_fuzz::target!("response_file");
