//! Mutates the pure crates, and lists each mutant that no test detects.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use crate::cargo;

/// Crates that are mutated. Their own tests judge them, and [`WIRES`] judges what it depends on.
const PACKAGES: &[&str] =
    &["ipc-path", "ipc-model", "wire-frame", "wire-v15", "wire-v16", "wire-dispatch", "ipc-endpoint"];

/// The tests over recorded bytes.
const WIRES: &str = "wire-conformance";

/// Crates that no test over recorded bytes uses.
const OUTSIDE: &[&str] = &["ipc-endpoint"];

/// Tests of corrupted frames, which take minutes without optimisation and notice panics only.
const SKIPPED: &[&str] = &["any_single_corrupted_byte", "a_body_cut_at_any_byte_is_truncated"];

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

    /// Change the files of this working tree, which saves a copy and builds less; one mutant at a time
    #[arg(long, conflicts_with = "jobs")]
    in_place: bool,

    /// Test only part I of N, counted from 0
    #[arg(long, value_name = "I/N")]
    shard: Option<String>,
}

/// Runs cargo-mutants for one crate after the other, and prints the score of each.
///
/// # Errors
///
/// Fails if cargo-mutants is not installed, the unmutated tests fail, or a mutant survives that `ALLOWED` does not list.
pub(crate) fn run(options: &Options) -> Result<()> {
    ensure!(cargo::has("mutants"), "cargo-mutants is missing: `cargo install cargo-mutants --locked`");
    let allowed = fs::read_to_string(cargo::root().join(ALLOWED)).context(ALLOWED)?;
    let every = || PACKAGES.iter().map(|package| (*package).to_owned()).collect();
    let packages = if options.packages.is_empty() { every() } else { options.packages.clone() };
    let mut left = Vec::new();
    for package in &packages {
        let found = mutate(package, options)?;
        println!(
            "{package}: {} of {} mutants were noticed",
            found.total - found.missed.lines().count(),
            found.total
        );
        left.extend(survivors(&found.missed, &allowed));
    }
    ensure!(left.is_empty(), "no test notices these mutants:\n  {}", left.join("\n  "));
    Ok(())
}

/// The mutants of one crate that built.
struct Found {
    total: usize,
    missed: String,
}

fn mutate(package: &str, options: &Options) -> Result<Found> {
    let output = cargo::root().join("target").join("mutants").join(package);
    fs::create_dir_all(&output).with_context(|| output.display().to_string())?;
    let status = command(package, options, &output).status().context("cargo cannot be started")?;
    // Exit code 2 means survivors and 3 means timeouts; `survivors` judges both.
    ensure!(matches!(status.code(), Some(0 | 2 | 3)), "cargo mutants ended with {status}");
    let list = |name: &str| {
        let path = output.join("mutants.out").join(name);
        fs::read_to_string(&path).with_context(|| path.display().to_string())
    };
    let missed = list("missed.txt")?;
    let total = [&list("caught.txt")?, &missed, &list("timeout.txt")?].map(|list| list.lines().count());
    Ok(Found { total: total.iter().sum(), missed })
}

fn command(package: &str, options: &Options, output: &Path) -> std::process::Command {
    let mut cargo = cargo::command();
    cargo.args(["mutants", "--no-shuffle", "--exclude", "**/generated/**", "--profile", "mutants"]);
    cargo.args(["--package", package, "--test-package", package]);
    if !OUTSIDE.contains(&package) {
        cargo.args(["--test-package", WIRES]);
    }
    if options.in_place {
        cargo.arg("--in-place");
    } else {
        cargo.arg("--jobs").arg(options.jobs.to_string());
    }
    if let Some(shard) = &options.shard {
        cargo.args(["--shard", shard]);
    }
    cargo.arg("--output").arg(output).args(["--", "--lib", "--tests", "--"]);
    cargo.args(SKIPPED.iter().flat_map(|test| ["--skip", *test]));
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
