//! The target `frame_v1_response`.
#![no_main]

zccache_ipc_fuzz::target!("frame_v1_response");
