//! Coverage-guided executions by cargo-fuzz, which needs a nightly compiler.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use conformance::programs::repository;
use wire_conformance::targets::Target;

/// Runs each of `targets` for `seconds` with `seed`, and returns the table of executions.
///
/// # Errors
///
/// A build that fails, and an input that libFuzzer reports: a panic, a hang or a large allocation.
pub(crate) fn run(targets: impl Iterator<Item = &'static Target>, seconds: u64, seed: u64) -> Result<String> {
    if seconds == 0 {
        return Ok("Not run: `--fuzz` gives the seconds of each target.\n".to_owned());
    }
    let mut version = cargo();
    version.args(["fuzz", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    if !version.status().is_ok_and(|status| status.success()) {
        return Ok(
            "Not run: no nightly compiler, or no cargo-fuzz. The random changes run the same targets.\n"
                .to_owned(),
        );
    }
    let mut seeds = cargo();
    seeds.args(["run", "--quiet", "--release", "--bin", "seeds", "corpus"]);
    ensure!(seeds.status()?.success(), "the recorded inputs cannot be written");
    let mut page = format!(
        "libFuzzer with AddressSanitizer, {seconds} s for each target, from the recorded inputs, inputs of at most 4096 bytes. It fails on a panic, \
         after 5 s, on one allocation above 17 MiB and on a memory error.\n\n| decoder | executions | covered edges | inputs kept |\n|---|---|---|---|\n"
    );
    for target in targets {
        let log = one(target, seconds, seed).with_context(|| target.name)?;
        let executions = log.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
        let executions = executions.context("libFuzzer reports no executions")?.trim();
        let last = log.lines().rfind(|line| line.contains(" cov: ")).unwrap_or_default();
        let after = |word: &str| last.split(word).nth(1).and_then(|rest| rest.split_whitespace().next());
        let (covered, kept) = (after(" cov: ").unwrap_or("?"), after(" corp: ").unwrap_or("?"));
        let kept = kept.split('/').next().unwrap_or("?");
        let _ = writeln!(page, "| {} | {executions} | {covered} | {kept} |", target.name);
        println!("{}: {executions} executions", target.name);
    }
    Ok(page)
}

/// Runs one target, and returns what libFuzzer wrote.
fn one(target: &Target, seconds: u64, seed: u64) -> Result<String> {
    let mut fuzz = cargo();
    let (corpus, seeds) = (format!("corpus/{}", target.slug), format!("seeds/{}", target.slug));
    fuzz.args(["fuzz", "run", "--fuzz-dir", ".", target.slug, &corpus, &seeds, "--"]);
    fuzz.arg(format!("-max_total_time={seconds}")).arg(format!("-seed={seed}"));
    fuzz.args(["-timeout=5", "-max_len=4096", "-detect_leaks=0", "-print_final_stats=1"]);
    let output = fuzz.stdout(Stdio::null()).output()?;
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    let tail: Vec<_> = log.lines().rev().take(40).collect();
    ensure!(output.status.success(), "{}", tail.into_iter().rev().collect::<Vec<_>>().join("\n"));
    Ok(log)
}

fn cargo() -> Command {
    let mut cargo = Command::new("cargo");
    cargo.arg("+nightly").current_dir(folder());
    // The workspace's own compiler, if `cargo xtask` chose one.
    cargo.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO").env_remove("RUSTC");
    cargo
}

fn folder() -> PathBuf {
    repository().join("fuzz")
}
