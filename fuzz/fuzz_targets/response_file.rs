#![no_main]

zccache_ipc_fuzz::target!("response_file");
