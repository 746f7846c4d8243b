//! The command lines of `zccache-ipc` and `zccache-wrap`.
//!
//! [`run`] is the whole program except for reading its surroundings: `args` has the command line, `verb` the
//! work, `Failure` the errors and `advice` their next steps.
//!
//! Not here: any protocol. Everything that reaches a daemon goes through `zccache_ipc`.
#![forbid(unsafe_code)]

mod advice;
mod age;
mod args;
mod certify;
mod exit;
mod failure;
mod identity;
mod kind;
mod layout;
mod lines;
mod looked;
mod operator;
mod output;
mod output_file;
mod probed;
mod progress;
mod quick;
#[cfg(feature = "running-process")]
mod registry_failure;
mod report;
mod style;
mod suggest;
mod tap;
mod target;
mod translate;
mod units;
mod verb;

use std::ffi::OsString;
use std::io;

use clap::{CommandFactory as _, Parser as _};
use zccache_ipc::endpoint::{DownloadLocations, Endpoint, Environment};

pub use exit::Exit;

use args::{Arguments, Verb, Wrapper};
use output::Output;

/// Runs the command line `arguments`, whose first one is the program's name.
///
/// `environment` is the snapshot of the surroundings; the verbs that need one report its error.
pub fn run(arguments: impl IntoIterator<Item = OsString>, environment: io::Result<Environment>) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let Some(command) = verb::masqueraded(&arguments) {
        return verb::wrap(&command, environment);
    }
    if let Some(command) = wrapped(&arguments) {
        return verb::wrap(command, environment);
    }
    let parsed = match quick::parse(&arguments).map_or_else(|| Arguments::try_parse_from(&arguments), Ok) {
        Ok(parsed) => parsed,
        Err(error) => return report::usage(&error, asks_for_json(&arguments)),
    };
    run_parsed(parsed, environment)
}

/// Runs a command line that is valid.
fn run_parsed(parsed: Arguments, environment: io::Result<Environment>) -> Exit {
    let mut output = Output::to_stdout(parsed.global.json);
    let mut suggest = suggest::Suggest::of(&parsed);
    if let Ok(environment) = &environment {
        suggest = suggest.leading_from(&parsed.global, environment, leads_to);
    }
    let is_question = matches!(parsed.verb, Verb::Fp(_) | Verb::Exec(_));
    let result = verb::run(parsed, environment, &suggest, &mut output).and_then(|exit| {
        output.flush()?;
        Ok(exit)
    });
    match result {
        Ok(exit) => exit,
        Err(failure) => match report::failure(&failure, &suggest, &mut output) {
            Exit::Done => Exit::Done,
            // Scripts of released programs read 0 and 1 as answers, and 2 as any failure.
            _ if is_question => Exit::Usage,
            exit => exit,
        },
    }
}

/// Returns true if the options lead to the daemon or to the download daemon at `endpoint`.
fn leads_to(global: &args::Global, environment: &Environment, endpoint: &Endpoint) -> bool {
    let (named, cache_dir) = (global.endpoint.as_deref().map(Endpoint::from), global.cache_dir.as_deref());
    target::Target::new(environment.clone(), global).is_ok_and(|target| target.endpoint == *endpoint)
        || DownloadLocations::for_client(environment, named.as_ref(), cache_dir)
            .is_ok_and(|found| found.endpoint() == endpoint)
}

/// Returns the description of `zccache-ipc`, for man pages and completions.
#[must_use]
pub fn command() -> clap::Command {
    Arguments::command()
}

/// Returns the description of `zccache-wrap`, for man pages and completions.
#[must_use]
pub fn wrapper() -> clap::Command {
    Wrapper::command()
}

/// Runs the command line of `zccache-wrap`: a compiler and its arguments.
///
/// A link to the program that is named like a compiler runs that compiler.
pub fn run_wrap(arguments: impl IntoIterator<Item = OsString>, environment: io::Result<Environment>) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let Some(command) = verb::masqueraded(&arguments) {
        return verb::wrap(&command, environment);
    }
    match arguments.get(1..) {
        Some([dashes, command @ ..]) if dashes == "--" && !command.is_empty() => {
            verb::wrap(command, environment)
        }
        Some(command @ [first, ..]) if !first.as_encoded_bytes().starts_with(b"-") => {
            verb::wrap(command, environment)
        }
        _ => match Wrapper::try_parse_from(&arguments) {
            Ok(Wrapper { global, wrap }) => {
                run_parsed(Arguments { global, verb: Verb::Wrap(wrap) }, environment)
            }
            Err(error) => report::usage(&error, asks_for_json(&arguments)),
        },
    }
}

/// Returns the command of `zccache-ipc wrap -- COMMAND`.
///
/// A build runs it thousands of times, so it does not wait for the parser of options.
fn wrapped(arguments: &[OsString]) -> Option<&[OsString]> {
    match arguments {
        [_, verb, dashes, command @ ..] if verb == "wrap" && dashes == "--" && !command.is_empty() => {
            Some(command)
        }
        _ => None,
    }
}

/// Returns true if a command line that is not valid asks for JSON.
fn asks_for_json(arguments: &[OsString]) -> bool {
    arguments.iter().take_while(|argument| *argument != "--").any(|argument| argument == "--json")
}
