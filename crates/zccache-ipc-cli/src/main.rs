//! The command `zccache-ipc`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use zccache_ipc::endpoint::Environment;

fn main() -> ExitCode {
    zccache_ipc_cli::run(std::env::args_os(), Environment::from_process()).into()
}
