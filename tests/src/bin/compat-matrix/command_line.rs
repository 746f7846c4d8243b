//! The published command line at work: every verb once, against our daemon and against its own.

use std::path::Path;

use anyhow::Result;

use super::cell::{Cell, Subject};
use super::daemon::Daemon;
use super::release::Release;
use super::typed::{Seen, Typist};
use super::verb::{Verb, Wire, expected};

/// Runs every verb of `release` with `wire` against `daemon`, and against the release's own, which says what must
/// come of it.
///
/// The program cannot start its daemon, whatever it thinks of ours.
///
/// # Errors
///
/// When a daemon does not start, or a process was left behind; what else goes wrong is in the cells.
pub(crate) fn run(release: Release, programs: &Path, wire: Wire, daemon: &Daemon) -> Result<Vec<Cell>> {
    let ours = seen(release, programs, wire, daemon)?;
    let theirs = seen(release, programs, wire, &Daemon::published(release, programs))?;
    let subject = Subject::CommandLine(release);
    let cells =
        Verb::ALL.into_iter().zip(ours).zip(theirs).map(|((verb, ours), theirs)| match (ours, theirs) {
            (Some(ours), Some(theirs)) => {
                let place = (subject, verb, wire.name());
                Cell::of_verb(place, expected(release, wire, verb), &ours, &theirs.outcome)
            }
            _ => Cell::of_no_verb(subject, verb, wire.name()),
        });
    Ok(cells.collect())
}

/// Returns the observed result of every verb against one daemon; `None` for a verb that the release lacks.
fn seen(release: Release, programs: &Path, wire: Wire, daemon: &Daemon) -> Result<Vec<Option<Seen>>> {
    let program = programs.join("zccache").with_extension(std::env::consts::EXE_EXTENSION);
    let mut typist = Typist::new(daemon, &program)?;
    let mut session = String::new();
    let mut all = Vec::new();
    for verb in Verb::ALL {
        if !verb.is_in(release) {
            all.push(None);
            continue;
        }
        let (seen, stdout) = typist.run(verb == Verb::Stop, |command, endpoint, fixture| {
            command.args(verb.arguments(fixture, &session)).env("ZCCACHE_ENDPOINT", endpoint);
            if verb == Verb::WrapInSession {
                command.env("ZCCACHE_SESSION_ID", &session);
            }
            if let Some(value) = wire.value() {
                command.env("ZCCACHE_DAEMON_WIRE", value);
            }
        })?;
        if verb == Verb::SessionStart {
            session = session_id(&stdout).unwrap_or_default();
        }
        all.push(Some(seen));
    }
    typist.finish()?;
    Ok(all)
}

/// The id in `{"session_id":"…"}`.
pub(crate) fn session_id(stdout: &str) -> Option<String> {
    let started: serde_json::Value = serde_json::from_str(stdout).ok()?;
    Some(started["session_id"].as_str()?.to_owned())
}
