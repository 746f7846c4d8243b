//! The verbs, one file each.

mod artifacts;
#[cfg(feature = "running-process")]
mod broker;
mod certify;
mod clear;
mod completions;
mod doctor;
mod download;
mod endpoint;
mod exec;
mod fp;
mod lookup;
#[cfg(feature = "running-process")]
mod manifest;
mod ping;
mod probe;
mod release;
mod request;
#[cfg(feature = "running-process")]
mod service_definition;
mod session;
mod start;
mod status;
mod stop;
mod store;
mod tap;
mod wire;
mod wrap;

use std::ffi::OsString;
use std::io;

use comfy_table::{Table, presets};
use zccache_ipc::endpoint::Environment;
use zccache_ipc::model::Response;

use crate::Exit;
#[cfg(feature = "running-process")]
use crate::args::broker::Broker;
use crate::args::{Arguments, Global, Verb};
use crate::failure::Failure;
use crate::output::Output;
use crate::suggest::Suggest;
use crate::target::{Located, Target};
use wire_json::to_json;

/// Does what `arguments` say.
pub(crate) fn run(
    arguments: Arguments,
    environment: io::Result<Environment>,
    suggest: &Suggest,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let Arguments { global, verb } = arguments;
    // These two need no daemon, nor to know where one would be.
    let verb = match verb {
        Verb::Wire(wire) => return wire::run(&wire, output),
        Verb::Completions(completions) => return completions::run(&completions, output),
        // Its daemon is another one.
        Verb::Download(verb) => return download::run(verb, environment, &global, output),
        // It runs the compiler whatever else is wrong.
        Verb::Wrap(wrap) => {
            return Ok(wrap::run(&wrap.compilation.command, !wrap.no_start, environment, &global));
        }
        verb => verb,
    };
    let environment = environment.map_err(Failure::Surroundings)?;
    let verb = match verb {
        Verb::Session(session) => return session::run(session, environment, &global, suggest, output),
        Verb::Endpoint => return endpoint::run(&Located::without_a_wire(environment, &global)?, output),
        #[cfg(feature = "running-process")]
        Verb::Manifest(verb) => {
            return manifest::run(&Located::without_a_wire(environment, &global)?, &verb, output);
        }
        #[cfg(feature = "running-process")]
        Verb::ServiceDefinition(verb) => {
            return service_definition::run(&Located::without_a_wire(environment, &global)?, &verb, output);
        }
        #[cfg(feature = "running-process")]
        Verb::Broker(Broker::Status(status)) => {
            return broker::run(&Located::without_a_wire(environment, &global)?.target, &status, output);
        }
        #[cfg(not(feature = "running-process"))]
        Verb::Manifest(_) | Verb::ServiceDefinition(_) | Verb::Broker(_) => return Err(Failure::LeftOut),
        Verb::Explain(explain) => {
            return wrap::explain::run(&explain.command, &environment, &global, output);
        }
        Verb::Tap(tap) => return tap::run(&Located::without_a_wire(environment, &global)?, &tap, output),
        Verb::Certify(certify) => {
            return certify::run(&Located::without_a_wire(environment, &global)?, &certify, output);
        }
        Verb::Doctor => return doctor::run(environment, &global, suggest, output),
        Verb::Start(start) => return start::run(&Located::new(environment, &global)?, &start, output),
        Verb::Stop => return stop::run(&Located::new(environment, &global)?, output),
        Verb::Clear => return clear::run(&Located::new(environment, &global)?, output),
        Verb::Probe => return probe::run(&Located::new(environment, &global)?, output),
        verb => verb,
    };
    let target = Target::new(environment, &global)?;
    match verb {
        Verb::Ping => ping::run(&target, output),
        Verb::Status(status) => status::run(&target, &status, suggest, output),
        Verb::Store(store) => store::run(&target, &store, output),
        Verb::Lookup(lookup) => lookup::run(&target, &lookup, output),
        Verb::Fp(fingerprint) => fp::run(&target, &fingerprint, output),
        Verb::Exec(exec) => exec::run(&target, &exec, output),
        Verb::ReleaseHandles(release) => release::run(&target, &release, output),
        Verb::Artifacts => artifacts::run(&target, output),
        Verb::Request(request) => request::run(&target, &request, output),
        Verb::Session(_)
        | Verb::Start(_)
        | Verb::Stop
        | Verb::Probe
        | Verb::Clear
        | Verb::Endpoint
        | Verb::Doctor
        | Verb::Explain(_)
        | Verb::Manifest(_)
        | Verb::ServiceDefinition(_)
        | Verb::Broker(_)
        | Verb::Wire(_)
        | Verb::Tap(_)
        | Verb::Certify(_)
        | Verb::Download(_)
        | Verb::Completions(_)
        | Verb::Wrap(_) => unreachable!("these were done above"),
    }
}

pub(crate) use wrap::program::masqueraded;

/// Does what `zccache-ipc wrap -- COMMAND` says.
pub(crate) fn wrap(command: &[OsString], environment: io::Result<Environment>) -> Exit {
    wrap::run(command, true, environment, &Global::default())
}

/// The contents of `response` in its JSON form.
fn contents(response: &Response) -> serde_json::Value {
    to_json(response).expect("what came over a wire is Unicode, and so has a JSON form")["message"].take()
}

/// Lays out names and values.
fn table<const N: usize>(rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.add_rows(rows);
    let lines: Vec<String> = table.lines().map(|line| line.trim().to_owned()).collect();
    lines.join("\n")
}
