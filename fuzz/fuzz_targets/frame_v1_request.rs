//! The target `frame_v1_request`.
#![no_main]

zccache_ipc_fuzz::target!("frame_v1_request");
