//! Our command line at work: its verbs, and every family of `request`, against our daemons and published ones.

use std::path::Path;

use anyhow::Result;
use zccache_ipc::model::RequestKind;
use zccache_ipc::{WirePolicy, Wires};

use super::cell::{Cell, Subject};
use super::client::{Client, open_session};
use super::command_line::session_id;
use super::daemon::{Daemon, Kind, PATIENCE};
use super::expectation::{STORES_NOTHING, expected};
use super::our_verb::OurVerb;
use super::typed::{Seen, Typist};

const NO_TAP: &str =
    "`stop` waits until nobody listens at the endpoint, so that there can be no tap; the daemon has ended";

/// The result of every verb with the reference daemon.
pub(crate) type Reference = Vec<(OurVerb, Seen)>;

/// The values of `--wire` that are worth a column: those that the daemon speaks. What it refuses is in the
/// tables of the clients.
fn columns(wires: Wires) -> &'static [&'static str] {
    match wires {
        Wires::V15 | Wires::V16 => &["auto"],
        _ => &["auto", "v15", "v16", "frame"],
    }
}

/// Runs every verb against `daemon`, once for each wire that it speaks.
///
/// # Errors
///
/// When a daemon does not start, or a process was left behind; what else goes wrong is in the cells.
pub(crate) fn run(program: &Path, daemon: &Daemon, reference: &Reference) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for wire in columns(daemon.kind.wires()) {
        cells.extend(cells_of(daemon.kind, wire, &seen(program, daemon, wire)?, reference));
    }
    Ok(cells)
}

/// The cells of the reference itself, which is held to what is known of each verb alone.
pub(crate) fn of_reference(reference: &Reference) -> Vec<Cell> {
    cells_of(Kind::Ours(Wires::ALL), "auto", reference, reference)
}

fn cells_of(daemon: Kind, wire: &'static str, seen: &Reference, reference: &Reference) -> Vec<Cell> {
    let cell = |((verb, seen), (_, reference)): (&(OurVerb, Seen), &(OurVerb, Seen))| {
        let place = (Subject::OurCommandLine(daemon), *verb, wire);
        Cell::of_our_verb(place, seen, &reference.outcome)
    };
    seen.iter().zip(reference).map(cell).collect()
}

/// Returns the reference results: our daemon, which speaks every wire, and our own choice of the wire.
///
/// # Errors
///
/// As [`run`].
pub(crate) fn reference(program: &Path, daemon: &Path) -> Result<Reference> {
    seen(program, &Daemon::ours(daemon, Wires::ALL, None), "auto")
}

fn seen(program: &Path, daemon: &Daemon, wire: &str) -> Result<Reference> {
    let mut all = Vec::new();
    // Each list ends its daemon.
    for verbs in [OurVerb::typed(), OurVerb::requests()] {
        let mut typist = Typist::new(daemon, program)?;
        let session = open_session(typist.endpoint(), daemon.lane(), PATIENCE, &typist.fixture)?;
        typist.fixture.session = session;
        for verb in verbs {
            let without_tap = (verb == OurVerb::Stop).then(|| typist.endpoint().to_owned());
            let complete = |command: &mut std::process::Command, endpoint: &str, fixture: &_| {
                let endpoint = without_tap.as_deref().unwrap_or(endpoint);
                command.args(["--endpoint", endpoint, "--wire", wire]).args(verb.arguments(fixture));
            };
            let (seen, stdout) = typist.run(verb.stops(), complete)?;
            if verb == OurVerb::SessionStart {
                typist.fixture.session = session_id(&stdout).unwrap_or_default();
            }
            all.push((verb, seen));
        }
        typist.finish()?;
    }
    Ok(all)
}

/// The expected outcome of a verb.
#[derive(Debug)]
pub(crate) struct ExpectedOutcome {
    /// The exit code.
    pub(crate) code: i32,
    /// Why it is not simply asked and done.
    pub(crate) why: Vec<&'static str>,
    /// Why the caller may see something else than with our own daemon, and what.
    pub(crate) differs: Option<(&'static str, &'static str)>,
}

impl ExpectedOutcome {
    /// Of `verb`, with `--wire wire`, and `daemon`.
    pub(crate) fn of(verb: OurVerb, daemon: Kind, wire: &str) -> Self {
        let stores = matches!(daemon, Kind::Ours(_));
        let asks = verb.asks();
        let policy = if wire == "auto" { WirePolicy::Auto } else { WirePolicy::Only(daemon.lane()) };
        let mut why = expected(Client::Async(policy), daemon, asks).why;
        // Where it shows, it is a difference.
        why.retain(|why| *why != STORES_NOTHING);
        if verb == OurVerb::Stop {
            why = vec![NO_TAP];
        }
        Self { code: verb.code(stores), why, differs: may_differ(verb, daemon) }
    }
}

/// Why a caller sees something else than with our own daemon, and what it must see then.
fn may_differ(verb: OurVerb, daemon: Kind) -> Option<(&'static str, &'static str)> {
    match (daemon, verb) {
        (Kind::Published(_), OurVerb::Lookup) => Some((STORES_NOTHING, "nothing is cached under typed")),
        (Kind::Published(_), OurVerb::Request(RequestKind::Lookup)) => Some((STORES_NOTHING, "Miss")),
        _ => None,
    }
}
