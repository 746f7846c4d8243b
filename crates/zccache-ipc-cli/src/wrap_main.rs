//! The command `zccache-wrap`: `zccache-ipc wrap --` in one word.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use zccache_ipc::endpoint::Environment;

fn main() -> ExitCode {
    zccache_ipc_cli::run_wrap(std::env::args_os(), Environment::from_process()).into()
}
