//! The command line of every release, one after the other, against one of our daemons that runs all the time.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Result, ensure};
use zccache_ipc::Wires;

use super::allowed;
use super::cell::{Cell, Subject, exit, told};
use super::command_line::session_id;
use super::daemon::{Daemon, PATIENCE, endpoint};
use super::family::Fixture;
use super::outcome::Outcome;
use super::release::Release;
use super::typed::{alone, left_behind};
use super::verb::Verb;
use conformance::sandbox::Sandbox;

/// The rule by which a client finds its daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// By the default rules of its release.
    Default,
    /// By `ZCCACHE_ENDPOINT`.
    Explicit,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default name",
            Self::Explicit => "ZCCACHE_ENDPOINT",
        })
    }
}

impl Way {
    /// Returns the endpoint to give to both sides, if the way has one.
    pub(crate) fn endpoint(self, sandbox: &Sandbox) -> Option<String> {
        (self == Self::Explicit).then(|| endpoint(sandbox))
    }
}

/// Runs every verb of every release, and compares each with the same verb and the release's own daemon.
///
/// `stop` comes last, each with a daemon that was started for it.
///
/// # Errors
///
/// When a daemon does not start, or a client started another one; other failures are in the cells.
pub(crate) fn run(releases: &[(Release, PathBuf)], program: &Path, way: Way) -> Result<Vec<Cell>> {
    let ours = Daemon::ours(program, Wires::ALL, None);
    let sandbox = Sandbox::new()?;
    ours.start_at(&sandbox, way.endpoint(&sandbox).as_deref())?;
    let mut cells = Vec::new();
    for (release, programs) in releases {
        let mine = Typist::new(&sandbox, *release, programs, way)?.all(false)?;
        let own = Sandbox::new()?;
        Daemon::published(*release, programs).start_at(&own, way.endpoint(&own).as_deref())?;
        let theirs = Typist::new(&own, *release, programs, way)?.all(false)?;
        cells.extend(
            mine.iter()
                .zip(&theirs)
                .map(|((verb, mine), (_, theirs))| cell(way, *release, *verb, mine, theirs)),
        );
    }
    sandbox.end_daemon();
    let left: Vec<_> = left_behind(sandbox.dir()).collect();
    ensure!(left.is_empty(), "there were other processes than one daemon: {left:?}");
    for (release, programs) in releases {
        let sandbox = Sandbox::new()?;
        ours.start_at(&sandbox, way.endpoint(&sandbox).as_deref())?;
        let mine = Typist::new(&sandbox, *release, programs, way)?.all(true)?;
        for (verb, mut outcome) in mine {
            if !testkit::holds_within(PATIENCE, || sandbox.daemon_ended()) {
                outcome.fails("the daemon still runs");
            }
            cells.push(cell(way, *release, verb, &outcome, &outcome));
        }
    }
    Ok(cells)
}

/// Verbs of the players that run side by side.
const PLAYED: [Verb; 7] = [
    Verb::Status,
    Verb::Start,
    Verb::SessionStart,
    Verb::WrapCompiler,
    Verb::WrapError,
    Verb::Exec,
    Verb::FpCheck,
];

/// A program of a release, alone: it can start no daemon of its own.
pub(crate) struct Typist<'a> {
    sandbox: &'a Sandbox,
    release: Release,
    program: PathBuf,
    fixture: Fixture,
    endpoint: Option<String>,
}

impl<'a> Typist<'a> {
    pub(crate) fn new(sandbox: &'a Sandbox, release: Release, programs: &Path, way: Way) -> Result<Self> {
        let program = programs.join("zccache").with_extension(std::env::consts::EXE_EXTENSION);
        let fixture = Fixture::at(sandbox, sandbox.dir().join(format!("work-{release}-{way:?}")))?;
        let program = alone(&program, sandbox, &format!("{release}-{way:?}"))?;
        Ok(Self { sandbox, release, program, fixture, endpoint: way.endpoint(sandbox) })
    }

    /// Runs verbs that a build sends until the time is over; returns their number.
    pub(crate) fn play(&self, until: Instant) -> Result<usize> {
        let mut calls = 0;
        while Instant::now() < until {
            for verb in PLAYED {
                let mut command = self.command(verb, "")?;
                // Not held: the players run side by side.
                let (outcome, _) = Outcome::of(&mut command, self.sandbox.dir(), &self.fixture);
                ensure!(outcome.code == Some(verb.code()), "{}: {outcome}, {outcome:?}", verb.name());
                calls += 1;
            }
        }
        Ok(calls)
    }

    /// Runs `stop`, or every verb but `stop`, in their order.
    fn all(&self, stop: bool) -> Result<Vec<(Verb, Outcome)>> {
        let mut session = String::new();
        let mut all = Vec::new();
        for verb in Verb::ALL {
            if (verb == Verb::Stop) != stop || !verb.is_in(self.release) {
                continue;
            }
            let mut command = self.command(verb, &session)?;
            let hold = self.sandbox.hold()?;
            let (outcome, stdout) = Outcome::of(&mut command, self.sandbox.dir(), &self.fixture);
            drop(hold);
            if verb == Verb::SessionStart {
                session = session_id(&stdout).unwrap_or_default();
            }
            all.push((verb, outcome));
        }
        Ok(all)
    }

    fn command(&self, verb: Verb, session: &str) -> Result<Command> {
        let mut command = self.sandbox.command(&self.program)?;
        command
            .current_dir(self.fixture.work())
            .env("PATH", Fixture::PATH)
            .env("RUNNING_PROCESS_DISABLE", "1");
        command.args(verb.arguments(&self.fixture, session));
        if let Some(endpoint) = &self.endpoint {
            command.env("ZCCACHE_ENDPOINT", endpoint);
        }
        if verb == Verb::WrapInSession {
            command.env("ZCCACHE_SESSION_ID", session);
        }
        Ok(command)
    }
}

fn cell(way: Way, release: Release, verb: Verb, mine: &Outcome, theirs: &Outcome) -> Cell {
    let code = verb.code();
    let differs = mine.difference(theirs);
    let allowed = allowed::reasons(mine, theirs);
    Cell {
        subject: Subject::Shared(way),
        line: verb.name(),
        column: release.name(),
        explained: mine.code == Some(code) && allowed.is_some(),
        expected: format!("exit {code}, as with its own daemon"),
        observed: format!("{mine}{}", told(&differs)),
        short: format!("ok{}", exit(code)),
        why: allowed.into_iter().flatten().collect(),
    }
}

/// The cells of the verbs that a release does not have.
pub(crate) fn without(releases: &[(Release, PathBuf)], way: Way) -> Vec<Cell> {
    let of = |(release, _): &(Release, PathBuf)| {
        let release = *release;
        let verbs = Verb::ALL.into_iter().filter(move |verb| !verb.is_in(release));
        verbs.map(move |verb| Cell {
            column: release.name(),
            ..Cell::of_no_verb(Subject::Shared(way), verb, "")
        })
    };
    releases.iter().flat_map(of).collect()
}
