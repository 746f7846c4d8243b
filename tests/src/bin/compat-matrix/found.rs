//! Our command line without an endpoint, against the daemon of each release at its default name.

use std::path::{Path, PathBuf};

use anyhow::Result;
use zccache_ipc::Wires;

use super::allowed;
use super::cell::{Cell, Subject, exit, told};
use super::command_line::session_id;
use super::daemon::{Daemon, Kind, PATIENCE};
use super::family::Fixture;
use super::later::{self, DOES_NOT_STOP};
use super::our_line::ExpectedOutcome;
use super::our_verb::OurVerb;
use super::outcome::Outcome;
use super::release::Release;
use super::typed::alone;
use conformance::sandbox::Sandbox;

/// Runs every verb against the daemon of `release`, and against ours, to which it is compared.
///
/// # Errors
///
/// When a daemon does not start; other failures are in the cells.
pub(crate) fn run(typed: &Path, program: &Path, release: Release, programs: &Path) -> Result<Vec<Cell>> {
    let theirs = all(typed, &Daemon::published(release, programs))?;
    let ours = all(typed, &Daemon::ours(program, Wires::ALL, None))?;
    let cell = |((verb, seen), (_, ours)): ((OurVerb, Outcome), (OurVerb, Outcome))| {
        let expected = ExpectedOutcome::of(verb, Kind::Published(release), "auto");
        let differs = seen.difference(&ours);
        let allowed = match expected.differs {
            Some((why, says)) if !differs.is_empty() => seen.says(says).then(|| vec![why]),
            _ => allowed::reasons(&seen, &ours),
        };
        if verb == OurVerb::Stop && seen.did_not_stop() {
            return later::of_known((Subject::Found, verb.name(), release.name()), &seen, DOES_NOT_STOP);
        }
        Cell {
            subject: Subject::Found,
            line: verb.name(),
            column: release.name(),
            explained: seen.code == Some(expected.code) && allowed.is_some(),
            expected: format!("exit {}, as with our own daemon", expected.code),
            observed: format!("{seen}{}", told(&differs)),
            short: format!("ok{}", exit(expected.code)),
            why: allowed.into_iter().flatten().collect(),
        }
    };
    Ok(theirs.into_iter().zip(ours).map(cell).collect())
}

fn all(typed: &Path, daemon: &Daemon) -> Result<Vec<(OurVerb, Outcome)>> {
    let sandbox = Sandbox::new()?;
    daemon.start_at(&sandbox, None)?;
    let program: PathBuf = alone(typed, &sandbox, "")?;
    let mut fixture = Fixture::new(&sandbox)?;
    let mut all = Vec::new();
    for verb in OurVerb::typed() {
        let mut command = sandbox.command(&program)?;
        command.current_dir(fixture.work()).env("PATH", Fixture::PATH).env("RUNNING_PROCESS_DISABLE", "1");
        command.args(verb.arguments(&fixture));
        let hold = sandbox.hold()?;
        let (mut outcome, stdout) = Outcome::of(&mut command, sandbox.dir(), &fixture);
        drop(hold);
        if verb == OurVerb::SessionStart {
            fixture.session = session_id(&stdout).unwrap_or_default();
        }
        if verb == OurVerb::Stop && !testkit::holds_within(PATIENCE, || sandbox.daemon_ended()) {
            outcome.fails("the daemon still runs");
        }
        all.push((verb, outcome));
    }
    Ok(all)
}
