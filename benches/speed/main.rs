//! Every workload of the table of speeds, against plain std and plain tokio in one run.
//!
//! `cargo xtask bench` builds and runs it; `docs/performance.md` has a table of its results.

mod caller;
mod machine;
mod reasons;
mod rounds;
mod row;
mod server;
mod work;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use row::{Row, table};
use work::{Scale, WORKLOADS};

#[global_allocator]
static ALLOC: testkit::CountingWhenAsked = testkit::CountingWhenAsked;

/// The options of the command line.
struct Options {
    workload: Option<String>,
    json: Option<PathBuf>,
    markdown: Option<PathBuf>,
    scale: Scale,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.split_first() {
        Some((first, rest)) if first == "child" => work::child::run(rest),
        _ => options(arguments).and_then(|options| run(&options)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn options(arguments: Vec<String>) -> Result<Options> {
    let mut options = Options { workload: None, json: None, markdown: None, scale: Scale::default() };
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().with_context(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--quick" => options.scale.quick = true,
            "--json" => options.json = Some(value()?.into()),
            "--markdown" => options.markdown = Some(value()?.into()),
            "--daemon" => options.scale.daemon = Some(value()?.into()),
            "--program" => options.scale.program = Some(value()?.into()),
            name if WORKLOADS.iter().any(|workload| workload.name == name) => {
                options.workload = Some(argument);
            }
            other => {
                let names: Vec<_> = WORKLOADS.iter().map(|workload| workload.name).collect();
                bail!("no workload {other}; there are {}", names.join(", "));
            }
        }
    }
    Ok(options)
}

fn run(options: &Options) -> Result<()> {
    machine::many_files()?;
    let mut rows: Vec<Row> = Vec::new();
    let mut notes = Vec::new();
    for workload in WORKLOADS {
        if options.workload.as_ref().is_some_and(|name| name != workload.name) {
            continue;
        }
        eprintln!("{}: {}", workload.name, workload.what);
        match (workload.run)(&options.scale).with_context(|| workload.name)? {
            work::Outcome::Rows(more) => rows.extend(more),
            work::Outcome::Skipped(why) => notes.push(format!("{} was not measured: {why}", workload.name)),
        }
    }
    let mut text = table(&rows);
    for note in notes {
        text.push_str(&format!("\n{note}\n"));
    }
    let missed = rows.iter().filter(|row| row.is_missed()).count();
    let judged = rows.iter().filter(|row| row.target.is_some()).count();
    text.push_str(&format!("\n{} of {judged} figures reach their target.\n", judged - missed));
    println!("{text}");
    if let Some(path) = &options.json {
        let rows: Vec<_> = rows.iter().map(Row::json).collect();
        std::fs::write(path, format!("{:#}\n", json!({ "rows": rows })))?;
    }
    if let Some(path) = &options.markdown {
        std::fs::write(path, text)?;
    }
    Ok(())
}
