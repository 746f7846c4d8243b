//! The repository's own commands; `cargo xtask --help` lists them.
//!
//! `layers` and `tidy` check rules that no lint can hold, each as a pure function over plain values with a
//! test that shows it failing. The players (`demo`, `c-project`, `compat-matrix`) are programs of `tests/`, and the
//! code generator is a package beside this one, so that this program is quick to build.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks to its terminal")]

mod bench;
mod cargo;
mod ci;
mod dist;
mod layers;
mod macos;
mod mutants;
mod players;
mod tidy;
mod windows;

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
    /// Compare the public API of each library with its report under api/
    Api {
        /// Arguments of the program; `--help` lists them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Build a project in C through the daemon, twice: first all misses, then all hits with the same objects
    CProject(players::Options),
    /// Measure each workload of docs/performance.md, and print each figure beside its target
    Bench(bench::Options),
    /// Measure compilations through this workspace's cache and others: processor time of client and daemon
    CompileBench(bench::CompileOptions),
    /// Test our daemon, and published ones, against the rules of docs/spec, and write docs/certify.md
    Certify(players::Options),
    /// Run each check, cheapest first, and stop at the first failure
    Ci,
    /// Generate the code of the schemas under proto/, and check their numbers
    Codegen {
        /// Arguments of the generator; `--help` lists them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run each kind of client against each kind of daemon, for each family of requests
    CompatMatrix(players::Options),
    /// Start a daemon on a temporary endpoint, call it through the library, and leave nothing behind
    Demo(players::Options),
    /// Pack the programs, their man pages, completions, service files, licences and checksums into one archive
    Dist(dist::Options),
    /// Try decoders and daemons against changed frames, kills and herds, and write docs/evidence.md
    Evidence(players::Options),
    /// Check the dependencies between our crates, and the outside crates of each
    Layers,
    /// Type-check the workspace for macOS, and run the tests of its rules
    Macos(macos::Options),
    /// Mutate the pure crates, and list each mutant that no test notices
    Mutants(mutants::Options),
    /// Check the rules that no lint can hold
    Tidy,
    /// Build programs and tests for Windows, run the tests under Wine, and print a table
    Windows(windows::Options),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Api { arguments } => cargo::run_program("api", &arguments),
        Command::CProject(options) => players::run("c-project", &options),
        Command::Bench(options) => bench::run(&options),
        Command::CompileBench(options) => bench::compile(&options),
        Command::Certify(options) => players::run("certify", &options),
        Command::Ci => ci::run(),
        Command::Codegen { arguments } => cargo::run_program("codegen", &arguments),
        Command::CompatMatrix(options) => players::run("compat-matrix", &options),
        Command::Demo(options) => players::demo(&options),
        Command::Dist(options) => dist::run(&options),
        Command::Evidence(options) => players::run("evidence", &options),
        Command::Layers => layers::run(),
        Command::Macos(options) => macos::run(&options),
        Command::Mutants(options) => mutants::run(&options),
        Command::Tidy => tidy::run(),
        Command::Windows(options) => windows::run(&options),
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
