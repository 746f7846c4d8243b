//! The target `round_trip`.
#![no_main]

zccache_ipc_fuzz::target!("round_trip");
