//! The measurements: builds `benches/` and the measured programs, runs them, and keeps the table.

mod embedder;

use std::env::consts::EXE_SUFFIX;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::cargo;

/// The document with the table, between these two lines.
const DOCUMENT: &str = "docs/performance.md";
const BEGIN: &str = "<!-- begin: cargo xtask bench --write -->";
const END: &str = "<!-- end -->";

/// The programs of `benches/` that measure for the table.
const MEASURING: [&str; 3] = ["speed", "plain_ping", "plain_wrap"];

/// The program of `tests/` that measures compilations.
const PLAYER: &str = "compile-bench";

#[derive(Debug, Default, clap::Args)]
pub(crate) struct Options {
    /// Only this workload: ping, connect, fallback, fetch, store, memory, many, idle, pipelined, allocations,
    /// system_calls, embedder, codec or process
    workload: Option<String>,
    /// Write the figures to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Measure a fifth of the rounds, as a trial
    #[arg(long)]
    quick: bool,
    /// Put the table into docs/performance.md
    #[arg(long, conflicts_with_all = ["workload", "quick"])]
    write: bool,
    /// Measure client and server on one thread, in cargo's default release profile and with fat LTO
    #[arg(long, conflicts_with_all = ["workload", "json"])]
    embedder: bool,
}

/// Measures, and prints the table with a target beside each figure.
///
/// # Errors
///
/// If a program cannot be built or measured. A missed target is no error.
pub(crate) fn run(options: &Options) -> Result<()> {
    if options.embedder {
        return embedder::run(options.quick, options.write);
    }
    let root = cargo::root();
    // One after the other: a common build would unify the features of both.
    for package in ["zccache-ipc-cli", "zccache-daemon"] {
        cargo::run(&["build", "--release", "--locked", "--package", package], &[])?;
    }
    let manifest = root.join("benches").join("Cargo.toml");
    let manifest = manifest.to_str().context("the path of this repository is not UTF-8")?;
    let mut build = vec!["build", "--release", "--locked", "--manifest-path", manifest];
    build.extend(MEASURING.iter().flat_map(|name| ["--bin", *name]));
    cargo::run(&build, &[])?;

    let table = root.join("target").join("performance.md");
    let mut speed = std::process::Command::new(program(&root.join("benches"), "speed")?);
    speed.arg("--program").arg(program(root, "zccache-ipc")?);
    speed.arg("--daemon").arg(program(root, "zccache-daemon")?).arg("--markdown").arg(&table);
    speed.args(options.workload.iter());
    if options.quick {
        speed.arg("--quick");
    }
    if let Some(json) = &options.json {
        speed.arg("--json").arg(json);
    }
    let status = speed.status().context("the measurements cannot be started")?;
    ensure!(status.success(), "the measurements ended with {status}");
    if options.write {
        let path = root.join(DOCUMENT);
        let document = fs::read_to_string(&path).with_context(|| DOCUMENT.to_owned())?;
        fs::write(&path, with_table(&document, BEGIN, &fs::read_to_string(table)?)?)?;
        println!("{DOCUMENT} has the table");
    }
    Ok(())
}

/// Arguments of the measurements of compilations
#[derive(Debug, Default, clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct CompileOptions {
    /// Arguments of the player; `--help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Measures compilations through the release programs and other caches. A missed target is no error.
///
/// # Errors
///
/// If a program cannot be built, or a cache gives a wrong object.
pub(crate) fn compile(options: &CompileOptions) -> Result<()> {
    // One after the other: a common build would unify the features of all.
    for package in ["zccache-ipc-cli", "zccache-daemon"] {
        cargo::run(&["build", "--release", "--locked", "--package", package], &[])?;
    }
    cargo::run(&["build", "--release", "--locked", "--package", "conformance", "--bin", PLAYER], &[])?;
    let player = program(cargo::root(), PLAYER)?;
    let programs = player.parent().context("a built program is in a directory")?;
    let mut measuring = std::process::Command::new(&player);
    let status = measuring.arg("--programs").arg(programs).args(&options.arguments).status();
    let status = status.context("the measurements cannot be started")?;
    ensure!(status.success(), "the measurements ended with {status}");
    Ok(())
}

/// Returns the path of the program `name` in the release build of `package`.
fn program(package: &Path, name: &str) -> Result<PathBuf> {
    program_of(package, name, "release")
}

/// Returns the path of the program `name` of `package`, as built in `profile`.
fn program_of(package: &Path, name: &str, profile: &str) -> Result<PathBuf> {
    let output = cargo::command()
        .args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"])
        .arg(package.join("Cargo.toml"))
        .output()
        .context("cargo cannot be started")?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let target = metadata["target_directory"].as_str().context("cargo names no target directory")?;
    let program = Path::new(target).join(profile).join(format!("{name}{EXE_SUFFIX}"));
    ensure!(program.is_file(), "cargo built no {}", program.display());
    Ok(program)
}

/// Replaces the table behind the line `begin` of `document` by `table`.
fn with_table(document: &str, begin: &str, table: &str) -> Result<String> {
    let (before, rest) = document.split_once(begin).with_context(|| format!("no line {begin}"))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("no line {END}"))?;
    Ok(format!("{before}{begin}\n\n{}\n\n{END}{after}", table.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_takes_the_place_of_the_old_one_and_of_nothing_else() {
        let document = format!("a\n{BEGIN}\n\nold\n\n{END}\nb\n");
        let expected = format!("a\n{BEGIN}\n\nnew\n\n{END}\nb\n");
        assert_eq!(with_table(&document, BEGIN, "new\n").unwrap(), expected);
        assert!(with_table("nothing", BEGIN, "new").is_err());
    }
}
