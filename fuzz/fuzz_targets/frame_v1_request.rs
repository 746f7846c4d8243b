#![no_main]

zccache_ipc_fuzz::target!("frame_v1_request");
