//! Runs each kind of client against each kind of daemon, for each family of requests.
//!
//! `cargo xtask compat-matrix` builds the programs and runs this one.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a command line speaks to its terminal")]

mod calls;
mod cell;
mod client;
mod command_line;
mod daemon;
mod document;
mod download;
mod expectation;
mod family;
mod our_line;
mod our_verb;
mod outcome;
mod release;
mod reply;
mod report;
mod tap;
mod trace;
mod typed;
mod verb;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, ensure};
use clap::Parser;
use conformance::programs::{Programs, repository};
use tokio::runtime::Runtime;
use zccache_ipc::Wires;

use cell::Cell;
use client::Client;
use daemon::Daemon;
use release::Release;
use report::Report;
use verb::Wire;

/// The generated table, from the top of the repository.
const DOCUMENT: &str = "docs/compat.md";

/// Hold each kind of client against each kind of daemon, for each family of requests.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask compat-matrix")]
struct Options {
    #[command(flatten)]
    programs: Programs,

    /// Print every cell as JSON instead of tables
    #[arg(long)]
    json: bool,

    /// Add the published programs of these releases, on both sides; cargo installs them where they are
    /// not there yet
    #[arg(long, value_name = "V,V,…", value_delimiter = ',')]
    released: Vec<Release>,

    /// Where the published programs are kept between runs; by default `target/released`
    #[arg(long, value_name = "DIRECTORY")]
    released_dir: Option<PathBuf>,

    /// Write the tables to docs/compat.md as well
    #[arg(long)]
    write: bool,
}

fn main() -> ExitCode {
    conformance::programs::exit(run(&Options::parse()))
}

/// Makes each call, and prints the table. Fails if a cell differs from its expectation.
fn run(options: &Options) -> Result<()> {
    let began = Instant::now();
    let report = Report::new(cells(options, &options.programs.daemon())?);
    if options.json {
        println!("{}", report.json());
    } else {
        println!("{report}\n{} in {:.1} s", report.summary(), began.elapsed().as_secs_f64());
    }
    if options.write {
        document::write(&repository().join(DOCUMENT), &report, &options.released)?;
    }
    let unexplained = report.unexplained();
    ensure!(unexplained.is_empty(), "not as expected:\n{}", unexplained.join("\n"));
    Ok(())
}

fn cells(options: &Options, program: &Path) -> Result<Vec<Cell>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ours = [Wires::V15, Wires::V16, Wires::ALL].map(|wires| Daemon::ours(program, wires, None));
    let mut cells = Vec::new();
    for daemon in &ours {
        cells.extend(every_client(&runtime, daemon)?);
    }
    let typed = program.with_file_name("zccache-ipc").with_extension(std::env::consts::EXE_EXTENSION);
    let reference = our_line::reference(&typed, program)?;
    if options.released.is_empty() {
        // The clients have shown what differs between the wires; a program for each cell takes its time.
        cells.extend(our_line::of_reference(&reference));
    } else {
        for daemon in &ours {
            cells.extend(our_line::run(&typed, daemon, &reference)?);
        }
    }
    cells.extend(download::run(&typed, None)?);
    let kept = options.released_dir.clone().unwrap_or_else(|| repository().join("target/released"));
    for release in &options.released {
        let programs = release.programs(&kept)?;
        let daemon = Daemon::published(*release, &programs);
        cells.extend(every_client(&runtime, &daemon)?);
        cells.extend(our_line::run(&typed, &daemon, &reference)?);
    }
    for release in &options.released {
        let programs = release.programs(&kept)?;
        let daemon = Daemon::ours(program, Wires::ALL, Some(*release));
        for wire in Wire::ALL.into_iter().filter(|wire| release.knows(*wire)) {
            cells.extend(command_line::run(*release, &programs, wire, &daemon)?);
        }
        cells.extend(download::run(&typed, Some((*release, &programs)))?);
    }
    Ok(cells)
}

fn every_client(runtime: &Runtime, daemon: &Daemon) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for client in Client::ALL {
        cells.extend(calls::run(runtime, client, daemon)?);
    }
    Ok(cells)
}
