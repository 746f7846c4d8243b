//! The program `zccache-download-daemon`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser as _;
use zccache_download::{Args, run};
use zccache_ipc::endpoint::{Environment, run_below_init, shell_code};

fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(Ok(status)) = run_below_init() {
        return ExitCode::from(u8::try_from(shell_code(status)).unwrap_or(1));
    }
    if run(&args, Environment::from_process()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
