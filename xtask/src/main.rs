//! The repository's own commands: `cargo xtask bench`, `ci`, `c-project`, `codegen`,
//! `compat-matrix`, `layers`, `tidy` and `demo`.
//!
//! Rules of this repository that no lint can hold are checked here, each as a pure function over plain
//! values with a test that shows it failing.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks to its terminal")]

mod bench;
mod c_project;
mod cargo;
mod ci;
mod codegen;
mod compat_matrix;
mod demo;
mod layers;
mod sandbox;
mod table;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The repository's own commands.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build a project in C through the daemon, twice: first all misses, then all hits with identical objects.
    CProject(c_project::Options),
    /// Measure every workload of docs/performance.md, and print the table with the target beside each figure.
    Bench(bench::Options),
    /// Run every check, cheapest first, and stop at the first that fails.
    Ci,
    /// Generate the code of the schemas under proto/, and check their numbers.
    Codegen(codegen::Options),
    /// Hold every kind of client against every kind of daemon, for every family of requests.
    CompatMatrix(compat_matrix::Options),
    /// Start a daemon on a temporary endpoint, call it through the library, and leave nothing behind.
    Demo(demo::Options),
    /// Check which crate may name which: the arrows between ours, and the list of outside crates.
    Layers,
    /// Check the rules that no lint can hold.
    Tidy,
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::CProject(options) => c_project::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Ci => ci::run(),
        Command::Codegen(options) => codegen::run(&options),
        Command::CompatMatrix(options) => compat_matrix::run(&options),
        Command::Demo(options) => demo::run(&options),
        Command::Layers => layers::run(),
        Command::Tidy => tidy::run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}"); // its backtrace would only lead back here
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
