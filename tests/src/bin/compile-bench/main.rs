//! Measures the processor time of compilations through each cache, client and daemon together.
//!
//! `cargo xtask compile-bench` builds the programs and runs this one. It needs Linux's `/proc`.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a command line speaks to its terminal")]

mod figures;
mod processor;
mod sources;
mod way;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use conformance::programs::Programs;
use conformance::sandbox::Sandbox;

use figures::Figures;
use processor::Spent;
use sources::{Source, Workload};
use way::{Way, Wrapper};

/// Measure the processor time of compilations through each cache, client and daemon together.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask compile-bench")]
struct Options {
    #[command(flatten)]
    programs: Programs,

    /// Rounds; each measures every way once, and begins with another one.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,

    /// Warm builds of the small files in each round; the few heavy files are built ten times as often.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    warm: u16,

    /// Number of small files.
    #[arg(long, default_value_t = 99, value_parser = clap::value_parser!(u16).range(1..=5000))]
    files: u16,

    /// The directory of a published zccache, as in `1.12.0/bin`.
    #[arg(long, value_name = "DIRECTORY")]
    published: Option<PathBuf>,

    /// Leave out every cache but this workspace's.
    #[arg(long)]
    only_ours: bool,

    /// Write the table, in Markdown, to this file.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

fn main() -> ExitCode {
    conformance::programs::exit(run(&Options::parse()))
}

/// Measures every way with every workload, and prints the table.
///
/// # Errors
///
/// Fails if a compilation fails or an object differs from the compiler's own.
fn run(options: &Options) -> Result<()> {
    let sandbox = Sandbox::new()?;
    let project = sandbox.dir().join("project");
    let (workloads, missing) = sources::write(&project, options.files.into(), options.warm.into())?;
    for what in &missing {
        println!("left out: {what}");
    }
    let wrappers = Wrapper::installed(&options.programs, options.published.as_deref(), options.only_ours)?;
    let mut table = String::new();
    for workload in &workloads {
        let mut figures = Figures::default();
        let mut expected = BTreeMap::new();
        for round in 0..usize::from(options.rounds) {
            for turn in 0..wrappers.len() {
                let wrapper = &wrappers[(round + turn) % wrappers.len()];
                let home = sandbox.dir().join(format!("{round}-{turn}"));
                let way = Way::set_up(wrapper, &sandbox, &home)?;
                let measured = measure(&way, &project, workload, &mut expected);
                way.end();
                measured?.into_iter().for_each(|(phase, spent)| figures.add(round, wrapper, phase, spent));
            }
        }
        let text = figures.table(workload);
        println!("{text}");
        table.push_str(&text);
        table.push('\n');
    }
    if let Some(path) = &options.markdown {
        fs::write(path, table).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// Builds a workload cold and then warm; returns the processor time of one compilation in each phase.
fn measure(
    way: &Way<'_>,
    project: &Path,
    workload: &Workload,
    expected: &mut BTreeMap<PathBuf, Vec<u8>>,
) -> Result<Vec<(&'static str, Spent)>> {
    let mut phases = vec![("cold", 1)];
    if way.caches() {
        phases.push(("warm", workload.warm));
    }
    let mut measured = Vec::new();
    for (phase, times) in phases {
        let objects: Vec<_> = workload.sources.iter().map(Source::object).collect();
        let before = way.spent()?;
        for _ in 0..times {
            for object in &objects {
                // It is missing before the first build.
                let _ = fs::remove_file(project.join(object));
            }
            for source in &workload.sources {
                way.compile(project, &source.args())?;
            }
        }
        way.settle()?;
        let spent = way.spent()?.since(before).over(times * workload.sources.len());
        for object in objects {
            let path = project.join(&object);
            let made = fs::read(&path).with_context(|| path.display().to_string())?;
            let first = expected.entry(object).or_insert_with(|| made.clone());
            ensure!(*first == made, "{}: {} has another object", way.name(), path.display());
        }
        measured.push((phase, spent));
    }
    Ok(measured)
}
