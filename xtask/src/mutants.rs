//! Mutates the pure crates, and lists each mutant that no test detects.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use crate::cargo;

/// Crates whose own tests cover them, so that a mutant costs seconds.
const PACKAGES: &[&str] =
    &["ipc-path", "ipc-model", "wire-frame", "wire-v15", "wire-v16", "wire-dispatch", "ipc-endpoint"];

/// The list of allowed survivors with their reasons, from the top of the repository.
const ALLOWED: &str = "xtask/survivors.txt";

/// Mutate the pure crates, and list each mutant that no test detects
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Options {
    /// Mutate only these crates
    #[arg(long = "package", value_name = "CRATE")]
    packages: Vec<String>,

    /// Number of mutants to test at once
    #[arg(long, default_value_t = 2)]
    jobs: u8,

    /// Test only part I of N, counted from 0
    #[arg(long, value_name = "I/N")]
    shard: Option<String>,
}

/// Runs cargo-mutants and prints the score.
///
/// # Errors
///
/// Fails if cargo-mutants is not installed, the unmutated tests fail, or a mutant survives that `ALLOWED` does not list.
pub(crate) fn run(options: &Options) -> Result<()> {
    ensure!(cargo::has("mutants"), "cargo-mutants is missing: `cargo install cargo-mutants --locked`");
    let output = cargo::root().join("target").join("mutants");
    fs::create_dir_all(&output).with_context(|| output.display().to_string())?;
    let status = command(options, &output).status().context("cargo cannot be started")?;
    let found = output.join("mutants.out");
    // Exit code 2 means survivors and 3 means timeouts; `survivors` judges both.
    ensure!(matches!(status.code(), Some(0 | 2 | 3)), "cargo mutants ended with {status}");
    let list = |name: &str| -> Result<String> {
        fs::read_to_string(found.join(name)).with_context(|| format!("cargo mutants wrote no {name}"))
    };
    let (caught, missed) = (list("caught.txt")?, list("missed.txt")?);
    let timed_out = list("timeout.txt")?;
    let total = [&caught, &missed, &timed_out].map(|list| list.lines().count()).iter().sum::<usize>();
    println!("{} of {total} mutants were noticed", total - missed.lines().count());
    let allowed = fs::read_to_string(cargo::root().join(ALLOWED)).context(ALLOWED)?;
    let survivors = survivors(&missed, &allowed);
    ensure!(survivors.is_empty(), "no test notices these mutants:\n  {}", survivors.join("\n  "));
    Ok(())
}

fn command(options: &Options, output: &Path) -> std::process::Command {
    let mut cargo = cargo::command();
    cargo.args(["mutants", "--no-shuffle", "--exclude", "**/generated/**", "--jobs"]);
    cargo.arg(options.jobs.to_string()).arg("--output").arg(output);
    if options.packages.is_empty() {
        cargo.args(PACKAGES.iter().flat_map(|package| ["--package", *package]));
    } else {
        cargo.args(options.packages.iter().flat_map(|package| ["--package", package.as_str()]));
    }
    if let Some(shard) = &options.shard {
        cargo.args(["--shard", shard]);
    }
    cargo
}

/// Returns the mutants of `missed` that `allowed` does not list, without their line numbers.
fn survivors(missed: &str, allowed: &str) -> Vec<String> {
    let allowed: BTreeSet<_> = allowed.lines().filter_map(|line| line.split_once(" # ")).collect();
    let is_allowed = |mutant: &String| allowed.iter().any(|(name, _)| name == mutant);
    missed.lines().map(without_position).filter(|mutant| !is_allowed(mutant)).collect()
}

/// Removes the line and the column of a mutant's name, which change with each edit.
fn without_position(mutant: &str) -> String {
    let mut parts = mutant.splitn(4, ':');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(path), Some(_), Some(_), Some(rest)) => format!("{path}:{rest}"),
        _ => mutant.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_survivor_is_allowed_by_its_name_and_never_by_its_line() {
        let missed = "crates/a/src/b.rs:3:5: replace f -> bool with true\n\
                      crates/a/src/b.rs:9:1: replace g -> u8 with 0\n";
        let allowed = "crates/a/src/b.rs: replace f -> bool with true # f is only a hint\n\
                       crates/a/src/b.rs: replace g -> u8 with 0\n";
        assert_eq!(survivors(missed, allowed), ["crates/a/src/b.rs: replace g -> u8 with 0"]);
        assert_eq!(survivors("", allowed), [""; 0]);
    }

    #[test]
    fn each_allowed_survivor_has_a_reason() {
        let allowed = fs::read_to_string(cargo::root().join(ALLOWED)).unwrap();
        let bare = allowed.lines().filter(|line| !line.starts_with('#') && !line.contains(" # "));
        assert_eq!(bare.collect::<Vec<_>>(), [""; 0]);
    }
}
