//! The program `zccache-daemon`.
#![forbid(unsafe_code)]

use std::io::{Write as _, stderr, stdout};
use std::process::ExitCode;

use clap::Parser as _;
use zccache_daemon::{Args, Outcome, StartError, chain, start};
use zccache_ipc::endpoint::{Environment, run_below_init, shell_code};

fn main() -> ExitCode {
    let args = Args::parse();
    match run_below_init() {
        Some(Ok(status)) => return ExitCode::from(u8::try_from(shell_code(status)).unwrap_or(1)),
        Some(Err(error)) => {
            let _ = writeln!(
                stderr(),
                "zccache-daemon: process 1 serves itself, and waits for no other: {error}"
            );
        }
        None => {}
    }
    let environment = Environment::from_process().map_err(StartError::Environment);
    match environment.and_then(|environment| start(&args, &environment)) {
        Ok(outcome) => {
            // What came of it stands, whether or not anybody can be told.
            let _ = match &outcome {
                Outcome::Started { .. } => writeln!(stdout(), "zccache-daemon: {outcome}"),
                Outcome::Lost { .. } => writeln!(stderr(), "zccache-daemon: {outcome}"),
                _ => Ok(()),
            };
            ExitCode::SUCCESS
        }
        Err(error) => {
            let advice = error.advice(&args).map(|advice| format!("  fix: {advice}\n")).unwrap_or_default();
            let _ = stderr().write_all(format!("zccache-daemon: {}\n{advice}", chain(&error)).as_bytes());
            ExitCode::FAILURE
        }
    }
}
