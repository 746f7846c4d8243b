//! Released programs among themselves: the command line of one release, the daemon of another, one endpoint.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use zccache_ipc::blocking::Client;
use zccache_ipc::wire_frame::Version;
use zccache_ipc::{ClientConfig, WirePolicy};

use super::cell::{Cell, Subject};
use super::daemon::Daemon;
use super::family::Fixture;
use super::outcome::Outcome;
use super::release::Release;
use super::typed::left_behind;
use super::verb::Verb;
use conformance::sandbox::Sandbox;

/// The verbs that are tried, each with a daemon of its own.
const VERBS: [Verb; 4] = [Verb::Status, Verb::Start, Verb::Exec, Verb::WrapCompiler];

const FAULT: &str = "published fault: the two releases refuse each other's numbers";
const TAKES_OVER: &str = "published fault: the client starts a daemon of its own release, which takes the socket's path; the \
     daemon that was there is stopped, or lives on without a name";

/// Most tries of a verb that must end in a takeover.
const TRIES: usize = 10;

const RACE: &str = "published fault: the takeover is a race between two daemons and a timeout of the client; an earlier try ended \
     without a daemon, with a failure, or with a success that the client reports for the daemon that was there";

/// The end of a verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comes {
    Works,
    Fails,
    TakesOver,
    /// The daemon was stopped, and the new one ended too.
    Nobody,
    /// The client takes a refusal for a busy daemon and reports success.
    Kept,
}

/// Tries every verb of the table with the command line of `client` and the daemon of `server`.
///
/// # Errors
///
/// When a daemon does not start.
pub(crate) fn run(client: (Release, &Path), server: (Release, &Path)) -> Result<Vec<Cell>> {
    VERBS.into_iter().map(|verb| try_one(client, server, verb)).collect()
}

fn try_one(client: (Release, &Path), server: (Release, &Path), verb: Verb) -> Result<Cell> {
    let expected = expected(client.0, server.0, verb);
    let mut observed = String::new();
    let ends = settle(expected, || {
        let (comes, seen) = attempt(client, server, verb)?;
        observed = seen;
        Ok(comes)
    })?;
    let comes = *ends.last().context("there is a try")?;
    Ok(Cell {
        subject: Subject::Between,
        line: format!("{} → {}", client.0, server.0).leak(),
        column: verb.name(),
        explained: comes == expected,
        expected: format!("{expected:?}"),
        observed: format!("{ends:?}: {observed}"),
        short: comes.name().to_owned(),
        why: comes.why().into_iter().chain((ends.len() > 1).then_some(RACE)).collect(),
    })
}

/// Repeats `attempt` while a takeover was expected and did not come; returns the ends of all tries.
fn settle(expected: Comes, mut attempt: impl FnMut() -> Result<Comes>) -> Result<Vec<Comes>> {
    let mut ends = vec![attempt()?];
    let is_race =
        |end: &Comes| expected == Comes::TakesOver && !matches!(end, Comes::TakesOver | Comes::Works);
    while ends.last().is_some_and(is_race) && ends.len() < TRIES {
        ends.push(attempt()?);
    }
    Ok(ends)
}

/// Runs the verb against a new daemon; returns its end, and what was seen in words.
fn attempt(client: (Release, &Path), server: (Release, &Path), verb: Verb) -> Result<(Comes, String)> {
    let (release, programs) = client;
    let sandbox = Sandbox::new()?;
    let endpoint = Daemon::published(server.0, server.1).start(&sandbox)?;
    let fixture = Fixture::new(&sandbox)?;
    let program = programs.join("zccache").with_extension(std::env::consts::EXE_EXTENSION);
    let mut command = sandbox.command(&program)?;
    command.current_dir(fixture.work()).env("PATH", Fixture::PATH).env("RUNNING_PROCESS_DISABLE", "1");
    command.args(verb.arguments(&fixture, "")).env("ZCCACHE_ENDPOINT", &endpoint);
    let hold = sandbox.hold()?;
    let (outcome, _) = Outcome::of(&mut command, sandbox.dir(), &fixture);
    drop(hold);
    let config = ClientConfig::within(Duration::from_secs(5)).wire(WirePolicy::Auto);
    let serves = Client::new(endpoint.as_str(), config).status().map(|status| status.version);
    let comes = match (&serves, outcome.code) {
        (Err(_), _) => Comes::Nobody,
        (Ok(version), _) if *version != server.0.to_string() => Comes::TakesOver,
        (_, Some(0)) if expected(release, server.0, verb) == Comes::TakesOver => Comes::Kept,
        (_, Some(0)) => Comes::Works,
        _ => Comes::Fails,
    };
    sandbox.end_daemon();
    left_behind(sandbox.dir()).for_each(drop); // the daemon that took over
    Ok((comes, format!("{outcome}, {serves:?} serves")))
}

/// Rule: `docs/spec/generations.md#release-against-release`.
fn expected(client: Release, server: Release, verb: Verb) -> Comes {
    let (mine, theirs) = (client.wires(), server.wires());
    let status = verb == Verb::Status;
    let speaks = |release: Release, number| release.wires().dialect(Version(number)).is_some();
    // `Status` is sent in protobuf, else in bincode; the rest in bincode.
    let shares_bincode =
        [15, 17, 18, 23].into_iter().any(|number| speaks(client, number) && speaks(server, number));
    let shares_any = mine == theirs
        || shares_bincode
        || [16, 19, 24].into_iter().any(|number| speaks(client, number) && speaks(server, number));
    match (shares_any, status) {
        (true, true) => Comes::Works,
        (false, true) => Comes::Fails,
        (false, false) => Comes::TakesOver,
        (true, false) if client > server => Comes::TakesOver,
        (true, false) if shares_bincode || verb == Verb::Start => Comes::Works,
        (true, false) => Comes::Fails,
    }
}

impl Comes {
    const fn name(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Fails => "fails",
            Self::TakesOver => "takes over",
            Self::Nobody => "no daemon is left",
            Self::Kept => "reports success",
        }
    }

    const fn why(self) -> Option<&'static str> {
        match self {
            Self::Works => None,
            Self::Fails => Some(FAULT),
            Self::TakesOver => Some(TAKES_OVER),
            Self::Nobody | Self::Kept => Some(RACE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(client: &str, server: &str, status: Comes, start: Comes, exec: Comes) {
        let expected = |verb| expected(client.parse().unwrap(), server.parse().unwrap(), verb);
        let found = (expected(Verb::Status), expected(Verb::Start), expected(Verb::Exec));
        assert_eq!(found, (status, start, exec), "{client} {server}");
    }

    #[test]
    fn only_a_takeover_that_did_not_come_is_tried_again() {
        use Comes::{Fails, Kept, Nobody, TakesOver, Works};
        let check = |expected, ends: &[Comes], tried: &[Comes]| {
            let mut ends = ends.iter().copied();
            let found = settle(expected, || ends.next().context("no further try"));
            assert_eq!(found.expect("enough ends"), tried, "{expected:?}");
        };
        check(TakesOver, &[TakesOver], &[TakesOver]);
        check(TakesOver, &[Nobody, Kept, TakesOver], &[Nobody, Kept, TakesOver]);
        check(TakesOver, &[Fails; 12], &[Fails; TRIES]);
        // The releases share a number after all, or do not: that is no race.
        check(TakesOver, &[Works], &[Works]);
        check(Works, &[Fails], &[Fails]);
        check(Fails, &[TakesOver], &[TakesOver]);
    }

    #[test]
    fn the_rule_gives_the_table_of_the_specification() {
        use Comes::{Fails, TakesOver, Works};
        check("1.12.10", "1.12.15", Works, Works, Works);
        check("1.13.1", "1.13.5", Works, Works, Works);
        check("1.13.5", "1.13.1", Works, TakesOver, TakesOver);
        check("1.12.9", "1.12.15", Works, Works, Fails);
        check("1.12.15", "1.12.9", Works, TakesOver, TakesOver);
        check("1.13.1", "1.12.9", Fails, TakesOver, TakesOver);
        check("1.13.1", "1.12.17", Fails, TakesOver, TakesOver);
        check("1.12.15", "1.12.17", Fails, TakesOver, TakesOver);
        check("1.11.21", "1.12.0", Works, Works, Works);
        check("1.11.21", "1.12.15", Fails, TakesOver, TakesOver);
    }
}
