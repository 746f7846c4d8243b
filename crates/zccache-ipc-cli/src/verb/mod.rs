//! The verbs, one file each.

mod clear;
mod completions;
mod endpoint;
mod lookup;
mod ping;
mod request;
mod session;
mod silent;
mod start;
mod status;
mod stop;
mod store;
mod wire;

use std::io;

use comfy_table::{Table, presets};
use zccache_ipc::endpoint::Environment;
use zccache_ipc::model::Response;

use crate::Exit;
use crate::args::{Arguments, Verb};
use crate::caller::{Asker, Caller};
use crate::failure::Failure;
use crate::json::to_json;
use crate::output::Output;

/// Does what `arguments` say.
pub(crate) fn run(
    arguments: Arguments,
    environment: io::Result<Environment>,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let Arguments { global, verb } = arguments;
    // These two need no daemon, nor to know where one would be.
    let verb = match verb {
        Verb::Wire(wire) => return wire::run(&wire, output),
        Verb::Completions(completions) => return completions::run(&completions, output),
        verb => verb,
    };
    let environment = environment.map_err(Failure::Surroundings)?;
    let verb = match verb {
        Verb::Session(session) => return session::run(session, environment, &global, output),
        // A build pings more often than anything else, and needs only to know where.
        Verb::Ping => return ping::run(Asker::new(&environment, &global)?, output),
        Verb::Endpoint => return endpoint::run(&Caller::of_nobody(environment, &global)?, output),
        verb => verb,
    };
    let caller = Caller::new(environment, &global)?;
    match verb {
        Verb::Start(start) => start::run(&caller, &start, output),
        Verb::Stop => stop::run(&caller, output),
        Verb::Status => status::run(&caller, output),
        Verb::Clear => clear::run(&caller, output),
        Verb::Store(store) => store::run(&caller, &store, output),
        Verb::Lookup(lookup) => lookup::run(&caller, &lookup, output),
        Verb::Request(request) => request::run(&caller, &request, output),
        Verb::Session(_) | Verb::Ping | Verb::Endpoint | Verb::Wire(_) | Verb::Completions(_) => {
            unreachable!("these were done above")
        }
    }
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
