//! Starts a daemon on a temporary endpoint, calls it with an old and a new client, and leaves nothing behind.
//!
//! `cargo xtask demo` builds the programs and runs this one.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a command line speaks to its terminal")]

mod steps;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use comfy_table::Table;
use conformance::programs::{Programs, repository};
use conformance::sandbox::Sandbox;
use conformance::table::table;

use steps::{By, Call, Step, steps};

/// The time in which the daemon must listen, and end after a request to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// A real file, from the top of the repository.
const FILE: &str = "tests/vectors/public.json";

/// A file in C that is compiled.
const HELLO: &str = "#include <stdio.h>\n\nint main(void)\n{\n\tputs(\"hello\");\n\treturn 0;\n}\n";

/// Start a daemon on a temporary endpoint, call it, and leave nothing behind.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask demo")]
struct Options {
    #[command(flatten)]
    programs: Programs,
}

/// One line of the closing table.
struct Row {
    name: &'static str,
    wire: &'static str,
    result: String,
    took: Duration,
}

fn main() -> ExitCode {
    conformance::programs::exit(run(&Options::parse()))
}

/// Starts a daemon, runs each step against it, and prints the answers.
///
/// The daemon and its directory are gone afterwards: at the end, on an error, on a panic, and when
/// interrupted.
///
/// # Errors
///
/// The first step that failed, with what the daemon wrote; or what was left behind.
fn run(options: &Options) -> Result<()> {
    let daemon = options.programs.daemon();
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
    let mut command = sandbox.command(daemon)?;
    command.args(["--foreground", "--endpoint", sandbox.endpoint(), "--cache-dir"]).arg(sandbox.cache_dir());
    sandbox.start(&mut command)?;
    let listens = testkit::holds_within(PATIENCE, || sandbox.socket().exists() || sandbox.daemon_ended());
    ensure!(listens && !sandbox.daemon_ended(), "the daemon does not listen on {}", sandbox.endpoint());
    let compile = compile(sandbox, daemon)?;
    let mut call = Call::new(&repository().join(FILE), compile, sandbox.dir().join("hello.o"))?;
    let (rows, result) = run_steps(&steps(), &mut call, sandbox.endpoint());
    println!("{}\n{}", sandbox.endpoint(), summary(&rows));
    result?;
    ensure!(testkit::holds_within(PATIENCE, || sandbox.daemon_ended()), "the daemon did not stop");
    Ok(())
}

/// A command that compiles a file in C through the daemon of `sandbox`.
fn compile(sandbox: &Sandbox, daemon: &Path) -> Result<Command> {
    let hold = sandbox.hold()?;
    std::fs::write(sandbox.dir().join("hello.c"), HELLO).context("hello.c")?;
    drop(hold);
    let program = daemon.with_file_name(format!("zccache-ipc{}", std::env::consts::EXE_SUFFIX));
    let mut command = sandbox.command(&program)?;
    command.args(["--endpoint", sandbox.endpoint(), "wrap", "--no-start", "--"]);
    command.args(["cc", "-O2", "-c", "hello.c", "-o", "hello.o"]);
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    Ok(command)
}

fn run_steps(steps: &[Step], call: &mut Call, endpoint: &str) -> (Vec<Row>, Result<()>) {
    let mut rows = Vec::new();
    let (mut old, mut new) = (By::Old.client(endpoint), By::New.client(endpoint));
    for step in steps {
        let client = match step.by {
            By::Old => &mut old,
            By::New => &mut new,
        };
        let start = Instant::now();
        let result = (step.run)(call, client);
        let took = start.elapsed();
        let (said, failure) = match result {
            Ok(said) => (said, None),
            Err(error) => ("FAILED".to_owned(), Some(error)),
        };
        rows.push(Row { name: step.name, wire: step.by.wire(), result: said, took });
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
