//! Our clients at work: every family once, each with a client that knows nothing yet.

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::runtime::Runtime;
use zccache_ipc::model::RequestKind;

use super::cell::{Cell, Observed, Subject};
use super::client::{Client, Told, open_session};
use super::daemon::{Daemon, Kind, PATIENCE};
use super::expectation::expected;
use super::family::{Fixture, ORDER};
use super::later;
use super::tap::Tap;
use super::trace::Trace;
use conformance::sandbox::Sandbox;

/// The time that an expected silence is observed.
const SILENCE: Duration = Duration::from_millis(200);

/// Asks a daemon of its own for every family with `client`.
///
/// # Errors
///
/// When the daemon does not start; what goes wrong after that is in the cells.
pub(crate) fn run(runtime: &Runtime, client: Client, daemon: &Daemon) -> Result<Vec<Cell>> {
    let sandbox = Sandbox::new()?;
    let endpoint = daemon.start(&sandbox)?;
    let mut fixture = Fixture::new(&sandbox)?;
    let session = open_session(&endpoint, daemon.lane(), PATIENCE, &fixture);
    fixture.session = session.with_context(|| format!("{daemon} opens no session"))?;
    let call = |(index, family): (usize, &RequestKind)| {
        let family = *family;
        let expected = expected(client, daemon.kind, family);
        let limit = if expected.is_silence() { SILENCE } else { PATIENCE };
        let tap = Tap::open(&sandbox, index, &endpoint)?;
        let hold = sandbox.hold()?;
        let mut told = client.call(runtime, tap.endpoint(), limit, family, &fixture);
        drop(hold);
        if family == RequestKind::Shutdown {
            told = ended(told, &sandbox);
        } else if sandbox.daemon_ended() {
            told = Told::Other(format!("the daemon ended; it wrote:\n{}", sandbox.daemon_output()));
        }
        if told == Told::Other(later::STILL_RUNS.to_owned()) && matches!(daemon.kind, Kind::Published(_)) {
            return Ok(later::of_daemon_that_goes_on(Subject::Daemon(daemon.kind), client.name()));
        }
        let trace = Trace::of(&tap.close()).map_err(|error| format!("{error:#}"));
        let place = (Subject::Daemon(daemon.kind), family, client.name());
        let observed = Observed { trace, told };
        if later::is_later(family) {
            let by = (client.name(), client.policy());
            return Ok(later::cell((place.0, daemon.kind, family), by, &observed));
        }
        Ok(Cell::new(place, expected, &observed))
    };
    ORDER.iter().enumerate().map(call).collect()
}

/// A daemon that has said that it ends must end, and no other one.
fn ended(told: Told, sandbox: &Sandbox) -> Told {
    match told {
        Told::Done(_) if !testkit::holds_within(PATIENCE, || sandbox.daemon_ended()) => {
            Told::Other(later::STILL_RUNS.to_owned())
        }
        Told::Done(_) => told,
        _ if sandbox.daemon_ended() => Told::Other("the daemon ended".to_owned()),
        _ => told,
    }
}
