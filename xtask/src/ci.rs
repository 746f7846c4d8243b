//! Every check that a change must pass, cheapest first.

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{cargo, layers, players, tidy, windows};
use anyhow::{Context as _, Result, anyhow, bail, ensure};

/// One named step.
struct Step {
    name: &'static str,
    run: fn() -> Result<Outcome>,
}

/// The result of a step that did not fail.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    /// Not run, with the reason.
    Skipped(&'static str),
}

/// One line of the closing table.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    name: &'static str,
    result: String,
    took: Option<Duration>,
}

const STEPS: &[Step] = &[
    Step { name: "fmt", run: || passed(cargo::run(&["fmt", "--all", "--", "--check"], &[])) },
    Step { name: "tidy", run: || passed(tidy::run()) },
    Step { name: "layers", run: || passed(layers::run()) },
    Step { name: "clippy", run: || passed(cargo::run(CLIPPY, &[])) },
    Step { name: "packages", run: || passed(packages()) },
    Step { name: "without-running-process", run: || passed(without_running_process()) },
    Step { name: "small-command-line", run: || passed(small_command_line()) },
    Step { name: "programs", run: || passed(cargo::run(PROGRAMS, &[])) },
    Step { name: "tests", run: tests },
    Step { name: "doctests", run: || passed(cargo::run(DOCTESTS, &[])) },
    Step { name: "rustdoc", run: || passed(cargo::run(RUSTDOC, &[("RUSTDOCFLAGS", "-D warnings")])) },
    Step { name: "api", run: api },
    Step { name: "deny", run: deny },
    Step { name: "compat-matrix", run: || player("compat-matrix") },
    Step { name: "c-project", run: c_project },
    Step { name: "demo", run: || player("demo") },
    Step { name: "evidence", run: || player("evidence") },
    Step { name: "windows", run: windows },
];

const CLIPPY: &[&str] = &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
/// Lints every crate without running-process, except the two that only wrap it.
const WITHOUT: &[&str] = &[
    "clippy",
    "--workspace",
    "--exclude",
    "rp-broker",
    "--exclude",
    "rp-manifest",
    "--no-default-features",
    "--locked",
    "--",
    "-D",
    "warnings",
];
/// Tests of the crates that have the feature, and of the client and server through real sockets.
const TEST_WITHOUT: &[&str] = &[
    "test",
    "--package",
    "ipc-client",
    "--package",
    "ipc-server",
    "--package",
    "zccache-ipc",
    "--no-default-features",
    "--lib",
    "--tests",
    "--locked",
];
const TEST_PROGRAMS_WITHOUT: &[&str] = &[
    "test",
    "--package",
    "zccache-daemon",
    "--package",
    "zccache-ipc-cli",
    "--no-default-features",
    "--lib",
    "--locked",
];
/// Crates that the command line must not contain.
///
/// They speak HTTP or TLS, or need the system's mathematical library.
const NOT_IN_CLI: &[&str] =
    &["zccache_download", "ureq", "ureq_proto", "http", "rustls", "webpki", "ring", "indicatif", "redb"];
const PROGRAMS: &[&str] = &["build", "--workspace", "--bins", "--locked"];
const NEXTEST: &[&str] = &["nextest", "run", "--workspace", "--locked"];
// Without a kind of target, so that cargo builds the examples, which a test runs.
const TESTS: &[&str] = &["test", "--workspace", "--locked"];
const DOCTESTS: &[&str] = &["test", "--doc", "--workspace", "--locked"];
const RUSTDOC: &[&str] = &["doc", "--workspace", "--no-deps", "--locked"];
const API: &[&str] = &["run", "--quiet", "--locked", "--package", "api"];
const DENY: &[&str] = &["deny", "--workspace", "check", "bans", "licenses", "sources"];

/// Tells `testkit::program` that an earlier step built every program.
const PREBUILT: (&str, &str) = ("ZCCACHE_TESTKIT_PREBUILT", "1");

/// Runs every step up to the first failure, and prints the time of each.
///
/// # Errors
///
/// The first failure, with the name of its step.
pub(crate) fn run() -> Result<()> {
    let (rows, result) = run_steps(STEPS);
    println!("\n{}", summary(&rows));
    result
}

/// Compares the public APIs, where this compiler's rustdoc writes the JSON that the program reads.
fn api() -> Result<Outcome> {
    let status = cargo::command().args(API).status().context("cargo cannot be started")?;
    match status.code() {
        Some(0) => Ok(Outcome::Passed),
        Some(3) => Ok(Outcome::Skipped("rustdoc of this compiler writes another JSON format")),
        _ => bail!("cargo {} ended with {status}", API.join(" ")),
    }
}

fn tests() -> Result<Outcome> {
    let arguments = if cargo::has("nextest") { NEXTEST } else { TESTS };
    passed(cargo::run(arguments, &[PREBUILT]))
}

/// Each library's package holds what its page in a registry shows.
fn packages() -> Result<()> {
    for library in layers::libraries() {
        let list = cargo::output(&["package", "--package", library, "--list", "--allow-dirty", "--locked"])?;
        for file in ["Cargo.toml", "README.md", "src/lib.rs"] {
            ensure!(list.lines().any(|line| line == file), "the package of {library} has no {file}");
        }
    }
    Ok(())
}

/// Checks that the feature `running-process` can be left out.
///
/// The tests pass without it, and no other dependency brings it in.
fn without_running_process() -> Result<()> {
    cargo::run(WITHOUT, &[])?;
    cargo::run(TEST_WITHOUT, &[])?;
    cargo::run(TEST_PROGRAMS_WITHOUT, &[])?;
    let programs = ["zccache-ipc", "zccache-daemon", "zccache-ipc-cli"];
    let tree = made_of(&programs, &["--no-default-features"])?;
    let found = tree.lines().find(|name| name.starts_with("running_process") || name.starts_with("rp_"));
    found.map_or(Ok(()), |name| bail!("{name} is in the build that leaves running-process out"))
}

/// Checks that the command line has no HTTP and no TLS.
fn small_command_line() -> Result<()> {
    let tree = made_of(&["zccache-ipc-cli"], &[])?;
    let found = tree.lines().find(|name| NOT_IN_CLI.contains(name));
    found.map_or(Ok(()), |name| {
        bail!("{name} is in the command line, which starts thousands of times in a build")
    })
}

/// Returns the names of the crates in `packages`, one per line.
fn made_of(packages: &[&str], options: &[&str]) -> Result<String> {
    let mut arguments =
        vec!["tree", "--edges", "normal", "--prefix", "none", "--format", "{lib}", "--locked"];
    arguments.extend(packages.iter().flat_map(|package| ["--package", *package]));
    arguments.extend(options);
    let tree = cargo::output(&arguments)?;
    for expected in ["ipc_endpoint", "zccache_ipc"] {
        ensure!(tree.lines().any(|name| name == expected), "cargo tree lists no crates:\n{tree}");
    }
    Ok(tree)
}

fn deny() -> Result<Outcome> {
    if !cargo::has("deny") {
        return Ok(Outcome::Skipped("cargo-deny is not installed"));
    }
    passed(cargo::run(DENY, &[]))
}

fn c_project() -> Result<Outcome> {
    let make = Command::new("make").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !make.is_ok_and(|status| status.success()) {
        return Ok(Outcome::Skipped("there is no make"));
    }
    player("c-project")
}

/// Runs the tests under Wine, if an earlier `cargo xtask windows` has left its tool chain.
fn windows() -> Result<Outcome> {
    if !windows::is_set_up() {
        return Ok(Outcome::Skipped(
            "no tool chain for Windows; `cargo xtask windows` sets it up and runs the tests",
        ));
    }
    passed(windows::run(&windows::Options::default()))
}

/// Runs a player against the programs that an earlier step built.
fn player(name: &str) -> Result<Outcome> {
    passed(players::run(name, &players::Options::default()))
}

fn passed(result: Result<()>) -> Result<Outcome> {
    result.map(|()| Outcome::Passed)
}

fn run_steps(steps: &[Step]) -> (Vec<Row>, Result<()>) {
    let mut rows = Vec::new();
    let mut failure = Ok(());
    for step in steps {
        if failure.is_err() {
            rows.push(Row { name: step.name, result: "not run".to_owned(), took: None });
            continue;
        }
        println!("\n== {}", step.name);
        let start = Instant::now();
        let outcome = (step.run)();
        let took = Some(start.elapsed());
        let result = match outcome {
            Ok(Outcome::Passed) => "passed".to_owned(),
            Ok(Outcome::Skipped(why)) => format!("skipped: {why}"),
            Err(error) => {
                failure = Err(anyhow!("step `{}` failed: {error:#}", step.name));
                "FAILED".to_owned()
            }
        };
        println!("== {}: {result} in {} s", step.name, took.map_or_else(String::new, seconds));
        rows.push(Row { name: step.name, result, took });
    }
    (rows, failure)
}

fn summary(rows: &[Row]) -> String {
    let total = rows.iter().filter_map(|row| row.took).sum();
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for row in rows {
        let took = row.took.map_or_else(String::new, seconds);
        // Writing to a string does not fail.
        let _ = writeln!(text, "{:width$}  {took:>7}  {}", row.name, row.result);
    }
    let _ = write!(text, "{:width$}  {:>7}  seconds", "all", seconds(total));
    text
}

fn seconds(took: Duration) -> String {
    format!("{:.1}", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_has_neither_http_nor_tls() {
        small_command_line().unwrap();
    }

    #[test]
    fn the_first_failure_stops_the_rest_and_is_named() {
        let steps = [
            Step { name: "one", run: || Ok(Outcome::Passed) },
            Step { name: "two", run: || Ok(Outcome::Skipped("no tool")) },
            Step { name: "three", run: || Err(anyhow!("it broke")) },
            Step { name: "four", run: || unreachable!("the step before failed") },
        ];
        let (rows, result) = run_steps(&steps);
        assert_eq!(result.unwrap_err().to_string(), "step `three` failed: it broke");
        let results: Vec<_> = rows.iter().map(|row| row.result.as_str()).collect();
        assert_eq!(results, ["passed", "skipped: no tool", "FAILED", "not run"]);
        assert_eq!(rows[3].took, None);
        let summary = summary(&rows).to_string();
        assert!(summary.contains("skipped: no tool"), "{summary}");
    }
}
