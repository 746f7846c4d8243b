//! Runs `zccache-ipc certify` against our daemon and published ones, and writes docs/certify.md.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a command line speaks to its terminal")]

mod document;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use conformance::programs::{Programs, exit, repository};
use serde_json::Value;
use testkit::{Process, TempEndpoint, holds_within};

/// The time that a daemon may take to answer, and certify to end.
const LIMIT: Duration = Duration::from_secs(600);

/// Test daemons against the rules of docs/spec
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask certify --")]
struct Arguments {
    #[command(flatten)]
    programs: Programs,
    /// A published daemon and its release, such as 1.12.9=/path/to/bin/zccache-daemon
    #[arg(long = "peer", value_name = "RELEASE=PROGRAM", value_parser = peer)]
    peers: Vec<(String, PathBuf)>,
    /// Write docs/certify.md, which has the deadlines too: five minutes for each daemon
    #[arg(long)]
    write: bool,
}

/// The report of one daemon.
struct Report {
    name: String,
    said: Value,
}

fn main() -> ExitCode {
    exit(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<()> {
    let line = arguments.programs.path("zccache-ipc");
    let ours = ("this project".to_owned(), arguments.programs.daemon());
    let daemons = std::iter::once(&ours).chain(&arguments.peers);
    // At the same time, because the deadlines are long.
    let reports: Vec<Report> = std::thread::scope(|scope| {
        let started: Vec<_> = daemons
            .map(|(name, program)| scope.spawn(|| report(name, program, &line, arguments.write)))
            .collect();
        started.into_iter().map(|report| report.join().expect("it does not panic")).collect::<Result<_>>()
    })?;
    for Report { name, said } in &reports {
        println!(
            "{name}: {} passed, {} differs, {} failed, {} not applicable",
            said["passed"], said["differs"], said["failed"], said["not_applicable"]
        );
    }
    let ours = &reports[0].said;
    ensure!(ours["failed"] == 0 && ours["differs"] == 0, "our daemon breaks rules: {ours}");
    if arguments.write {
        let page = repository().join("docs/certify.md");
        std::fs::write(&page, document::page(&reports)?).with_context(|| format!("{}", page.display()))?;
    }
    Ok(())
}

/// Starts the daemon `program` on a temporary endpoint, and certifies it, with its deadlines on request.
fn report(name: &str, program: &Path, line: &Path, deadlines: bool) -> Result<Report> {
    let place = TempEndpoint::new();
    let endpoint = place.name();
    let mut daemon = place.command(program);
    daemon.env("RUNNING_PROCESS_DISABLE", "1").args(["--foreground", "--endpoint", &endpoint]);
    let daemon = Process::spawn(&mut daemon);
    let run = |arguments: &[&str]| {
        let mut command = place.command(line);
        Process::spawn(command.args(["--endpoint", &endpoint]).args(arguments)).finish(LIMIT)
    };
    let answers = holds_within(LIMIT, || run(&["ping"]).status.success());
    ensure!(answers, "{name} does not answer: {}{}", daemon.stdout(), daemon.stderr());
    let deadlines = if deadlines { &["--deadlines"][..] } else { &[] };
    let finished = run(&[&["--json", "certify", "--changes"], deadlines].concat());
    let said = serde_json::from_str(&finished.stdout);
    Ok(Report { name: name.to_owned(), said: said.with_context(|| format!("{name}: {finished:?}"))? })
}

fn peer(text: &str) -> Result<(String, PathBuf), String> {
    let (release, program) = text.split_once('=').ok_or("not of the form RELEASE=PROGRAM")?;
    Ok((release.to_owned(), program.into()))
}
