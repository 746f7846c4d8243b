//! Building and running the programs of `tests/` that run clients against daemons.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::cargo::{self, Build};

/// The build of the programs, and the arguments of the player
#[derive(Debug, Default, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Options {
    /// Build the programs with optimisation
    #[arg(long)]
    release: bool,

    /// Arguments of the player; `--help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Builds and runs the player `name` against programs with their default features.
///
/// # Errors
///
/// Fails if a program cannot be built, or the player fails.
pub(crate) fn run(name: &str, options: &Options) -> Result<()> {
    build_and_run(name, &Build { release: options.release, ..Build::default() }, &options.arguments)
}

/// Runs the demo against programs without running-process, to build as little as possible.
///
/// # Errors
///
/// As for [`run`].
pub(crate) fn demo(options: &Options) -> Result<()> {
    let build = Build { release: options.release, small: true };
    build_and_run("demo", &build, &options.arguments)
}

fn build_and_run(name: &str, build: &Build, arguments: &[OsString]) -> Result<()> {
    let player = cargo::build(name, build)?;
    let programs = player.parent().context("a built program is in a directory")?;
    play(&player, programs, arguments)
}

fn play(player: &Path, programs: &Path, arguments: &[OsString]) -> Result<()> {
    let status = Command::new(player).arg("--programs").arg(programs).args(arguments).status();
    let status = status.with_context(|| format!("cannot start {}", player.display()))?;
    ensure!(status.success(), "{} ended with {status}", player.display());
    Ok(())
}
