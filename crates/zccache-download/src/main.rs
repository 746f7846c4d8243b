//! The program `zccache-download-daemon`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser as _;
use zccache_download::{Args, run};
use zccache_ipc::endpoint::Environment;

fn main() -> ExitCode {
    let args = Args::parse();
    if run(&args, Environment::from_process()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
