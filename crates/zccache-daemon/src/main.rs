//! The program `zccache-daemon`.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is the program")]

use std::process::ExitCode;

use clap::Parser as _;
use zccache_daemon::{Args, Outcome, StartError, chain, start};
use zccache_ipc::endpoint::Environment;

fn main() -> ExitCode {
    let args = Args::parse();
    let environment = Environment::from_process().map_err(StartError::Environment);
    match environment.and_then(|environment| start(&args, &environment)) {
        Ok(outcome) => {
            match &outcome {
                Outcome::Started { .. } => println!("zccache-daemon: {outcome}"),
                Outcome::Lost { .. } => eprintln!("zccache-daemon: {outcome}"),
                _ => {}
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("zccache-daemon: {}", chain(&error));
            if let Some(advice) = error.advice() {
                eprintln!("try: {advice}");
            }
            ExitCode::FAILURE
        }
    }
}
