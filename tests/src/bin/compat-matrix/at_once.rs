//! Clients of every generation side by side, against one of our daemons.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use zccache_ipc::blocking::Client;
use zccache_ipc::model::{ExecProbe, ExecStore, Lookup, LookupResult, Request, Response, SessionId, Store};
use zccache_ipc::wire_dispatch::Dialect;
use zccache_ipc::wire_frame::Version;
use zccache_ipc::{ClientConfig, Lane, Wires};

use super::cell::{Cell, Subject};
use super::daemon::{Daemon, PATIENCE};
use super::family::Fixture;
use super::release::Release;
use super::shared::{Typist, Way};
use super::typed::left_behind;
use conformance::sandbox::Sandbox;

/// Lets a player of each dialect and the command line of each release call one daemon for `time`.
///
/// # Errors
///
/// When the daemon does not start or is not the only one at the end; wrong replies are in the cells.
pub(crate) fn run(releases: &[(Release, PathBuf)], program: &Path, time: Duration) -> Result<Vec<Cell>> {
    let sandbox = Sandbox::new()?;
    let daemon = Daemon::ours(program, Wires::ALL, None);
    daemon.start_at(&sandbox, None)?;
    let endpoint = super::daemon::endpoint(&sandbox);
    let until = Instant::now() + time;
    let mut cells = Vec::new();
    thread::scope(|scope| -> Result<()> {
        let mut players = Vec::new();
        for dialect in Dialect::ALL {
            let (sandbox, endpoint) = (&sandbox, &endpoint);
            let player =
                move || Ok((dialect.to_string(), Player::new(sandbox, endpoint, dialect)?.play(until)));
            players.push(scope.spawn(player));
        }
        for (release, programs) in releases {
            for way in [Way::Default, Way::Explicit] {
                let typist = Typist::new(&sandbox, *release, programs, way)?;
                let name = format!("zccache {release}, {way}");
                players.push(scope.spawn(move || Ok((name, typist.play(until)))));
            }
        }
        for player in players {
            let played: Result<(String, Result<usize>)> =
                player.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a player panicked")));
            let (name, calls) = played?;
            cells.push(cell(name, calls));
        }
        Ok(())
    })?;
    ensure!(!sandbox.daemon_ended(), "the daemon ended:\n{}", sandbox.daemon_output());
    sandbox.end_daemon();
    let left: Vec<_> = left_behind(sandbox.dir()).collect();
    ensure!(left.is_empty(), "there were other processes than one daemon: {left:?}");
    Ok(cells)
}

fn cell(name: String, calls: Result<usize>) -> Cell {
    Cell {
        subject: Subject::AtOnce,
        line: name.leak(),
        column: "all at once",
        expected: "no wrong reply".to_owned(),
        observed: match &calls {
            Ok(calls) => format!("{calls} calls"),
            Err(error) => format!("{error:#}"),
        },
        short: "no wrong reply".to_owned(),
        explained: calls.is_ok_and(|calls| calls > 0),
        why: Vec::new(),
    }
}

/// One client that speaks one dialect.
struct Player {
    client: Client,
    dialect: Dialect,
    fixture: Fixture,
}

impl Player {
    fn new(sandbox: &Sandbox, endpoint: &str, dialect: Dialect) -> Result<Self> {
        let client = Client::new(endpoint, ClientConfig::within(PATIENCE));
        let fixture = Fixture::at(sandbox, sandbox.dir().join(format!("work-{dialect}")))?;
        Ok(Self { client, dialect, fixture })
    }

    /// Calls in turn until the time is over; returns the number of calls.
    fn play(mut self, until: Instant) -> Result<usize> {
        let mut calls = 0;
        while Instant::now() < until {
            calls += self.round(calls)?;
        }
        Ok(calls)
    }

    /// Makes one call of several families, and checks what each answer must say.
    fn round(&mut self, number: usize) -> Result<usize> {
        let key = format!("{}-{number}", self.dialect);
        let artifact = Fixture::artifact();
        let store = Store { cache_key: key.clone(), artifact: artifact.clone() };
        let mut calls = 0;
        let mut ask = |request: Request, is_right: &dyn Fn(&Response) -> bool| -> Result<Response> {
            calls += 1;
            let reply = self.client.call_in(self.dialect, None, &request)?;
            ensure!(reply.dialect() == self.dialect, "a reply in {} to {}", reply.dialect(), self.dialect);
            ensure!(is_right(&reply.message), "{} is answered {:?}", request.kind(), reply.message);
            Ok(reply.message)
        };
        ask(Request::Ping, &|reply| *reply == Response::Pong)?;
        ask(
            Request::Status,
            &|reply| matches!(reply, Response::Status(status) if status.version == "1.13.5"),
        )?;
        ask(Request::from(store), &|reply| matches!(reply, Response::StoreResult(_)))?;
        let found = |reply: &Response| matches!(reply, Response::LookupResult(LookupResult::Hit { artifact: found }) if **found == artifact);
        ask(Request::Lookup(Lookup { cache_key: key.clone() }), &found)?;
        let is_started = |reply: &Response| matches!(reply, Response::SessionStarted(_));
        let Response::SessionStarted(started) =
            ask(Request::from(self.fixture.session_start()), &is_started)?
        else {
            anyhow::bail!("checked above");
        };
        let session = || SessionId { session_id: started.session_id.clone() };
        ask(Request::SessionStats(session()), &|reply| matches!(reply, Response::SessionStatsResult(_)))?;
        ask(Request::SessionEnd(session()), &|reply| matches!(reply, Response::SessionEnded(_)))?;
        ask(
            Request::from(self.fixture.compile_ephemeral()),
            &|reply| matches!(reply, Response::CompileResult(result) if result.exit_code == 0),
        )?;
        // The protobuf numbers before 24 do not carry these requests.
        let carries = [Dialect::of(Version(24)), Some(Dialect::FrameV1)].contains(&Some(self.dialect))
            || (self.dialect.lane() == Lane::V15 && self.dialect != Dialect::V15);
        if carries {
            let probe = || Request::from(ExecProbe { name: key.clone(), ..ExecProbe::default() });
            let is_probed = |reply: &Response| matches!(reply, Response::ExecProbeResult(_));
            let Response::ExecProbeResult(missed) = ask(probe(), &is_probed)? else {
                anyhow::bail!("checked above");
            };
            let value = key.clone().into_bytes();
            let store = ExecStore { cache_key_hex: missed.cache_key_hex, result_bytes: value.clone().into() };
            ask(Request::from(store), &|reply| matches!(reply, Response::ExecStoreAck(ack) if ack.stored))?;
            ask(
                probe(),
                &|reply| matches!(reply, Response::ExecProbeResult(result) if result.cached_bytes.as_deref() == Some(&*value)),
            )?;
        }
        Ok(calls)
    }
}
