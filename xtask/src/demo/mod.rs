//! The whole house at work, on a temporary endpoint, with nothing left behind.

mod sandbox;
mod steps;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use cargo_metadata::Message;
use clap::Args;
use comfy_table::Table;

use crate::cargo;
use crate::table::table;
use sandbox::Sandbox;
use steps::{Call, Step, steps};

/// How long the daemon may take to listen, and to end after it was told to.
const PATIENCE: Duration = Duration::from_secs(10);

/// A real file, from the top of the repository.
const FILE: &str = "tests/vectors/public.json";

/// What `cargo xtask demo` can be told.
#[derive(Debug, Default, Args)]
pub(crate) struct Options {
    /// Build with optimisation: the latencies are then those of a release.
    #[arg(long)]
    release: bool,
}

/// One line of the closing table.
struct Row {
    name: &'static str,
    wire: &'static str,
    result: String,
    took: Duration,
}

/// Builds the programs, starts a daemon, runs every step against it, and prints what happened.
///
/// The daemon and its directory are gone afterwards: at the end, on an error, on a panic, and when
/// interrupted.
///
/// # Errors
///
/// The first step that failed, with what the daemon wrote; or what was left behind.
pub(crate) fn run(options: &Options) -> Result<()> {
    let daemon = build(options)?;
    let sandbox = Sandbox::new()?;
    let told = run_in(&sandbox, &daemon);
    let told = told.with_context(|| format!("the daemon wrote:\n{}", sandbox.daemon_output()));
    let dir = sandbox.dir().to_path_buf();
    drop(sandbox);
    told?;
    ensure!(!dir.exists(), "{} was left behind", dir.display());
    println!("Left behind: nothing.");
    Ok(())
}

fn run_in(sandbox: &Sandbox, daemon: &Path) -> Result<()> {
    sandbox.start(daemon)?;
    let listens = testkit::holds_within(PATIENCE, || sandbox.socket().exists() || sandbox.daemon_ended());
    ensure!(listens && !sandbox.daemon_ended(), "the daemon does not listen on {}", sandbox.endpoint());
    let mut call = Call::new(sandbox, &cargo::root().join(FILE))?;
    let (rows, result) = run_steps(&steps(), &mut call);
    println!("{}\n{}", sandbox.endpoint(), summary(&rows));
    result?;
    ensure!(testkit::holds_within(PATIENCE, || sandbox.daemon_ended()), "the daemon did not stop");
    Ok(())
}

/// Builds both programs and returns the path of the daemon.
fn build(options: &Options) -> Result<PathBuf> {
    // With the whole workspace's features, as `cargo xtask ci` builds: nothing is built twice.
    let mut arguments =
        vec!["build", "--workspace", "--bin", "zccache-daemon", "--bin", "zccache-ipc", "--locked"];
    if options.release {
        arguments.push("--release");
    }
    cargo::run(&arguments, &[])?;
    // A second run builds nothing, and tells where the first one put the programs.
    arguments.push("--message-format=json");
    let output = cargo::command().args(&arguments).output().context("cargo cannot be started")?;
    let artifacts = Message::parse_stream(output.stdout.as_slice()).filter_map(|message| match message {
        Ok(Message::CompilerArtifact(artifact)) => Some(artifact),
        _ => None,
    });
    let mut daemons = artifacts.filter(|artifact| artifact.target.name == "zccache-daemon");
    let daemon = daemons.find_map(|artifact| artifact.executable);
    daemon.map(Into::into).ok_or_else(|| anyhow!("cargo built no program `zccache-daemon`"))
}

fn run_steps(steps: &[Step], call: &mut Call) -> (Vec<Row>, Result<()>) {
    let mut rows = Vec::new();
    for step in steps {
        let start = Instant::now();
        let result = (step.run)(call);
        let took = start.elapsed();
        let (said, failure) = match result {
            Ok(said) => (said, None),
            Err(error) => ("FAILED".to_owned(), Some(error)),
        };
        rows.push(Row { name: step.name, wire: call.wire, result: said, took });
        if let Some(error) = failure {
            return (rows, Err(error.context(format!("step `{}`", step.name))));
        }
    }
    (rows, Ok(()))
}

fn summary(rows: &[Row]) -> Table {
    let micros = |row: &Row| row.took.as_micros().to_string();
    let line = |row: &Row| [row.name.to_owned(), row.wire.to_owned(), row.result.clone(), micros(row)];
    table(["call", "wire", "answer", "µs"], rows.iter().map(line))
}
