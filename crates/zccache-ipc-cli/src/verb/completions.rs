//! `completions`: a script for a shell.

use clap::CommandFactory as _;

use crate::Exit;
use crate::args::{Arguments, Completions, PROGRAM};
use crate::failure::Failure;
use crate::output::Output;

pub(super) fn run(completions: &Completions, output: &mut Output) -> Result<Exit, Failure> {
    // Into memory, because it panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(completions.shell, &mut Arguments::command(), PROGRAM, &mut script);
    output.bytes(&script)?;
    Ok(Exit::Done)
}
