//! Runs each kind of client against each kind of daemon, for each family of requests.
//!
//! `cargo xtask compat-matrix` builds the programs and runs this one.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a command line speaks to its terminal")]

mod allowed;
mod at_once;
mod between;
mod calls;
mod cell;
mod client;
mod command_line;
mod daemon;
mod document;
mod download;
mod expectation;
mod family;
mod found;
mod jobs;
mod later;
mod our_line;
mod our_verb;
mod outcome;
mod release;
mod reply;
mod report;
mod shared;
mod tap;
mod trace;
mod typed;
mod verb;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Parser;
use conformance::programs::{Programs, repository};
use zccache_ipc::Wires;

use cell::Cell;
use client::Client;
use daemon::Daemon;
use jobs::Job;
use release::Release;
use report::Report;
use shared::Way;
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

    /// Number of tables to try at the same time
    #[arg(long, default_value_t = 4, value_name = "NUMBER")]
    jobs: usize,

    /// Seconds for which clients of every generation call one daemon side by side
    #[arg(long, default_value_t = document::AT_ONCE, value_name = "SECONDS")]
    at_once: u64,

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
        document::write(&repository().join(DOCUMENT), &report, &options.released, options.at_once)?;
    }
    let unexplained = report.unexplained();
    ensure!(unexplained.is_empty(), "not as expected:\n{}", unexplained.join("\n"));
    Ok(())
}

/// Tries everything; the tables are in a fixed order, whatever the number of jobs.
fn cells(options: &Options, program: &Path) -> Result<Vec<Cell>> {
    let typed = program.with_file_name("zccache-ipc").with_extension(std::env::consts::EXE_EXTENSION);
    let reference = our_line::reference(&typed, program)?;
    let (typed, reference) = (&*typed, &reference);
    let kept = options.released_dir.clone().unwrap_or_else(|| repository().join("target/released"));
    let releases: Vec<(Release, PathBuf)> = options
        .released
        .iter()
        .map(|release| Ok((*release, release.programs(&kept)?)))
        .collect::<Result<_>>()?;

    let ours = [Wires::V15, Wires::V16, Wires::ALL].map(|wires| Daemon::ours(program, wires, None));
    let players = [Wires::V15_V16, Wires::V17_V16, Wires::V18_V19, Wires::V23_V24]
        .map(|wires| Daemon::ours(program, wires, None));
    let mut jobs: Vec<Job<'_>> = Vec::new();
    for daemon in &ours {
        jobs.push(Box::new(|| every_client(daemon)));
    }
    if releases.is_empty() {
        // Our own daemons play the releases.
        for daemon in &players {
            jobs.push(Box::new(|| every_client(daemon)));
        }
        // The clients have shown the differences between the wires; a program for each cell takes its time.
        jobs.push(Box::new(|| Ok(our_line::of_reference(reference))));
    } else {
        for daemon in &ours {
            jobs.push(Box::new(|| our_line::run(typed, daemon, reference)));
        }
    }
    jobs.push(Box::new(|| download::run(typed, None)));
    for (release, programs) in &releases {
        jobs.push(Box::new(|| every_client(&Daemon::published(*release, programs))));
        jobs.push(Box::new(|| our_line::run(typed, &Daemon::published(*release, programs), reference)));
    }
    for (release, programs) in &releases {
        for wire in Wire::ALL.into_iter().filter(|wire| release.knows(*wire)) {
            jobs.push(Box::new(move || {
                let daemon = Daemon::ours(program, Wires::ALL, Some(*release));
                command_line::run(*release, programs, wire, &daemon)
            }));
        }
        // Packages of programs that are ready to run have no download programs.
        if download::is_in(programs) {
            jobs.push(Box::new(|| download::run(typed, Some((*release, programs)))));
        }
    }
    if !releases.is_empty() {
        for way in [Way::Default, Way::Explicit] {
            let releases = &releases;
            jobs.push(Box::new(move || {
                Ok([shared::run(releases, program, way)?, shared::without(releases, way)].concat())
            }));
        }
    }
    let (all, time) = (&releases, Duration::from_secs(options.at_once));
    jobs.push(Box::new(move || at_once::run(all, program, time)));
    for (release, programs) in &releases {
        jobs.push(Box::new(|| found::run(typed, program, *release, programs)));
    }
    for client in &releases {
        for server in &releases {
            jobs.push(Box::new(|| between::run((client.0, &client.1), (server.0, &server.1))));
        }
    }
    jobs::run(options.jobs, jobs)
}

fn every_client(daemon: &Daemon) -> Result<Vec<Cell>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut cells = Vec::new();
    for client in Client::ALL {
        cells.extend(calls::run(&runtime, client, daemon)?);
    }
    Ok(cells)
}
