//! Tries decoders and daemons, and writes the result to `docs/evidence.md`.
//!
//! `cargo xtask evidence` builds the programs and runs this one. Its defaults are the short run of `cargo xtask ci`.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a command line speaks to its terminal")]

#[cfg(target_os = "linux")]
mod calls;
mod daemon;
mod document;
#[cfg(target_os = "linux")]
mod foreign;
mod fuzz;
mod place;
#[cfg(target_os = "linux")]
mod senders;
#[cfg(target_os = "linux")]
mod soak;
#[cfg(target_os = "linux")]
mod stuck;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::{Parser, ValueEnum};
use conformance::programs::Programs;
use wire_conformance::mutation::{self, Tried};
use wire_conformance::targets::{Target, WIRES};

use document::Section;

#[global_allocator]
static ALLOC: testkit::CountingWhenAsked = testkit::CountingWhenAsked;

/// Try decoders and daemons, and print or write what came of it.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask evidence")]
struct Options {
    #[command(flatten)]
    programs: Programs,
    /// Try only these [default: all]
    #[arg(long, value_delimiter = ',', value_name = "TRIAL,…")]
    only: Vec<Trial>,
    /// Longest recorded input whose every change is tried, in bytes
    #[arg(long, default_value_t = 20)]
    longest: usize,
    /// Random changes for each decoder
    #[arg(long, default_value_t = 2_000)]
    executions: u64,
    /// Seconds of random changes for each decoder, at most
    #[arg(long, default_value_t = 3600)]
    seconds: u64,
    /// Seconds of coverage-guided executions for each decoder; 0 leaves them out
    #[arg(long, default_value_t = 0)]
    fuzz: u64,
    /// Rounds of kills
    #[arg(long, default_value_t = 20)]
    kills: u32,
    /// Clients of the herd
    #[arg(long, default_value_t = 40)]
    herd: usize,
    /// Rounds of the herd
    #[arg(long, default_value_t = 1)]
    herds: usize,
    /// Failing system calls of each kind in each program, at most
    #[arg(long, default_value_t = 1)]
    calls: u64,
    /// Kinds of hostile senders
    #[arg(long, default_value_t = 3)]
    senders: usize,
    /// Verbs that are called while a daemon is stuck
    #[arg(long, default_value_t = 2)]
    verbs: usize,
    /// Requests of the soak
    #[arg(long, default_value_t = 2000)]
    requests: u64,
    /// Number that repeats the random changes and the pauses before the kills
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write the sections to docs/evidence.md
    #[arg(long)]
    write: bool,
    /// Play another user at this socket
    #[arg(long, hide = true)]
    play_other: Option<PathBuf>,
}

/// A kind of trial, which has a section of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Trial {
    Changes,
    Random,
    Fuzz,
    Kills,
    Herd,
    Calls,
    Stuck,
    Senders,
    Soak,
    Foreign,
}

fn main() -> ExitCode {
    conformance::programs::exit(run(&Options::parse()))
}

fn run(options: &Options) -> Result<()> {
    #[cfg(target_os = "linux")]
    if let Some(socket) = &options.play_other {
        return foreign::play(socket);
    }
    let all = Trial::value_variants();
    let trials = if options.only.is_empty() { all } else { &options.only };
    for trial in trials {
        let began = Instant::now();
        let (title, command, text) = options.run(*trial).with_context(|| format!("{trial:?}"))?;
        println!("\n## {title}\n\n{text}\n({trial:?} took {:.1} s)\n", began.elapsed().as_secs_f32());
        if options.write {
            let command = format!("cargo xtask evidence {command} --seed {} --write", options.seed);
            document::write(&[Section::new(title, &command, &text)])?;
        }
    }
    Ok(())
}

impl Options {
    /// Runs one trial, and returns its title, its options and its text.
    fn run(&self, trial: Trial) -> Result<(&'static str, String, String)> {
        let only = format!("--only {}", format!("{trial:?}").to_lowercase());
        Ok(match trial {
            Trial::Changes => (
                "Every truncation and every change of one byte",
                format!("{only} --longest {}", self.longest),
                self.changes()?,
            ),
            Trial::Random => (
                "Random changes of recorded inputs",
                format!("{only} --executions {} --seconds {}", self.executions, self.seconds),
                self.random()?,
            ),
            Trial::Fuzz => (
                "Coverage-guided executions",
                format!("{only} --fuzz {}", self.fuzz),
                fuzz::run(decoders(), self.fuzz, self.seed)?,
            ),
            Trial::Kills => ("Kills", format!("{only} --kills {}", self.kills), self.kills()?),
            Trial::Herd => {
                ("Herds", format!("{only} --herd {} --herds {}", self.herd, self.herds), self.herds()?)
            }
            Trial::Calls => {
                ("Failing system calls", format!("{only} --calls {}", self.calls), self.on_linux(trial)?)
            }
            Trial::Stuck => {
                ("Stuck daemons", format!("{only} --verbs {}", self.verbs), self.on_linux(trial)?)
            }
            Trial::Senders => {
                ("Hostile senders", format!("{only} --senders {}", self.senders), self.on_linux(trial)?)
            }
            Trial::Soak => ("Soak", format!("{only} --requests {}", self.requests), self.on_linux(trial)?),
            Trial::Foreign => ("Another user", only, self.on_linux(trial)?),
        })
    }

    #[cfg(target_os = "linux")]
    fn on_linux(&self, trial: Trial) -> Result<String> {
        let daemon = self.programs.daemon();
        match trial {
            Trial::Calls => calls::run(&self.programs, self.calls),
            Trial::Stuck => stuck::run(&self.programs, self.verbs),
            Trial::Senders => senders::run(&daemon, self.senders),
            Trial::Soak => soak::run(&daemon, self.requests),
            _ => foreign::run(&self.programs),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn on_linux(&self, _: Trial) -> Result<String> {
        Ok("Not run: this trial needs Linux.\n".to_owned())
    }

    fn changes(&self) -> Result<String> {
        let tried = decoders().map(|target| mutation::every_small_change(target, self.longest));
        let rule = format!("All inputs of at most {} bytes. {RULE}", self.longest);
        Ok(table(&rule, &tried.collect::<Result<Vec<_>>>()?))
    }

    fn random(&self) -> Result<String> {
        let limit = Duration::from_secs(self.seconds);
        let tried = decoders().map(|target| mutation::random(target, self.seed, self.executions, limit));
        let rule = format!("No coverage guides the changes. {RULE}");
        Ok(table(&rule, &tried.collect::<Result<Vec<_>>>()?))
    }

    fn kills(&self) -> Result<String> {
        let seen = daemon::kills(&self.programs.daemon(), self.seed, self.kills)?;
        Ok(format!(
            "{} daemons were ended by SIGKILL at random points of start, serve, store, drain and stop. {} stores were answered, and each \
             entry is found; no file stays behind; the slowest start until a ping was answered took {:.2} s, and at most {:.2} s without the \
             time for which other processes had the processor (`schedstat`; the bound is 3 s).\n",
            seen.rounds,
            seen.stored,
            seen.slowest_start.as_secs_f32(),
            seen.slowest_own.as_secs_f32()
        ))
    }

    fn herds(&self) -> Result<String> {
        let (cli, daemon) = (self.programs.path("zccache-ipc"), self.programs.daemon());
        let mut worst = Duration::ZERO;
        for _ in 0..self.herds {
            let herd = daemon::herd(&cli, &daemon, self.herd)?;
            ensure!(herd.spawned == 1, "{} daemons served one herd", herd.spawned);
            worst = worst.max(herd.p99);
        }
        Ok(format!(
            "{} processes `zccache-ipc start` at once found no daemon, {} times: one daemon each time, all served, the slowest p99 {:.2} s.\n",
            self.herd,
            self.herds,
            worst.as_secs_f32()
        ))
    }
}

/// Returns every decoder of this build.
fn decoders() -> impl Iterator<Item = &'static Target> {
    #[cfg(feature = "files")]
    let files = wire_conformance::files::FILES;
    #[cfg(not(feature = "files"))]
    let files: &[Target] = &[];
    WIRES.iter().chain(files)
}

const RULE: &str = "An execution fails on a panic, after 1 s, and when one allocation is above 17 MiB (the frame limit and 1 MiB).";

fn table(rule: &str, tried: &[Tried]) -> String {
    let mut page =
        format!("{rule}\n\n| decoder | executions | slowest | largest allocation |\n|---|---|---|---|\n");
    for Tried { name, executions, slowest, largest } in tried {
        let _ =
            writeln!(page, "| {name} | {executions} | {:.1} ms | {largest} B |", slowest.as_secs_f32() * 1e3);
    }
    page
}
