//! The published command line at work: every verb once, against our daemon.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use testkit::Process;

use super::cell::{Cell, Subject};
use super::daemon::{Daemon, PATIENCE};
use super::family::Fixture;
use super::release::Release;
use super::tap::Tap;
use super::trace::Trace;
use super::verb::{Ended, Verb, Wire, expected};
use crate::sandbox::Sandbox;

/// How long a verb may take.
const LIMIT: Duration = Duration::from_secs(30);

/// What our daemon says of a family that it does not have.
const NOT_SERVED: &str = "is not served by this daemon";

/// Runs every verb of `release` with `wire` against a daemon of its own.
///
/// The program runs from a copy with no daemon beside it and with an environment of its own, so that it
/// cannot start its daemon, whatever it thinks of ours.
///
/// # Errors
///
/// When the daemon does not start, or a process was left behind; what else goes wrong is in the cells.
pub(crate) fn run(release: Release, programs: &Path, wire: Wire, daemon: &Daemon) -> Result<Vec<Cell>> {
    let sandbox = Sandbox::new()?;
    let endpoint = daemon.start(&sandbox)?;
    let fixture = Fixture::new(&sandbox)?;
    let program = alone(programs, &sandbox)?;
    let mut session = String::new();
    let mut cells = Vec::new();
    let subject = Subject::CommandLine(release);
    for (number, verb) in Verb::ALL.into_iter().enumerate() {
        if !verb.is_in(release) {
            cells.push(Cell::of_no_verb(subject, verb, wire.name()));
            continue;
        }
        let tap = Tap::open(&sandbox, number, &endpoint)?;
        let mut command = sandbox.command(&program)?;
        command.current_dir(fixture.work()).args(verb.arguments(&fixture, &session));
        command.env("ZCCACHE_ENDPOINT", tap.endpoint()).env("RUNNING_PROCESS_DISABLE", "1");
        if verb == Verb::WrapInSession {
            command.env("ZCCACHE_SESSION_ID", &session);
        }
        if let Some(value) = wire.value() {
            command.env("ZCCACHE_DAEMON_WIRE", value);
        }
        let hold = sandbox.hold()?;
        let (mut ended, stdout) = finish(&mut command);
        drop(hold);
        if verb == Verb::SessionStart {
            session = session_id(&stdout).unwrap_or_default();
        }
        if verb == Verb::Stop && ended == Ended::Well {
            if !testkit::holds_within(PATIENCE, || sandbox.daemon_ended()) {
                ended = Ended::Otherwise("the daemon still runs".to_owned());
            }
        } else if sandbox.daemon_ended() {
            ended = Ended::Otherwise("the daemon ended".to_owned());
        }
        let trace = Trace::of(&tap.close()).map_err(|error| format!("{error:#}"));
        let trace = trace.map(Trace::without_silent_connections);
        let place = (subject, verb, wire.name());
        cells.push(Cell::of_verb(place, expected(release, wire, verb), &trace, &ended));
    }
    let left: Vec<_> = left_behind(sandbox.dir()).collect();
    ensure!(left.is_empty(), "zccache {release} left processes behind, which were ended: {left:?}");
    Ok(cells)
}

/// Copies the program into the sandbox, alone.
fn alone(programs: &Path, sandbox: &Sandbox) -> Result<PathBuf> {
    let name = Path::new("zccache").with_extension(std::env::consts::EXE_EXTENSION);
    let dir = sandbox.dir().join("bin");
    let _hold = sandbox.hold()?;
    std::fs::create_dir_all(&dir)?;
    let copy = dir.join(&name);
    let program = programs.join(&name);
    std::fs::copy(&program, &copy).with_context(|| format!("cannot copy {}", program.display()))?;
    Ok(copy)
}

/// Waits for the program, ends it when it takes too long, and returns its standard output too.
fn finish(command: &mut Command) -> (Ended, String) {
    let mut process = Process::spawn(command);
    if !testkit::holds_within(LIMIT, || !process.is_running()) {
        return (Ended::Otherwise(format!("still running after {LIMIT:?}: {process}")), String::new());
    }
    let finished = process.finish(LIMIT);
    let ended = match finished.status.code() {
        Some(0) => Ended::Well,
        _ if finished.stderr.contains(NOT_SERVED) => Ended::ToldOfAnError,
        _ => Ended::Otherwise(format!("{}: {}", finished.status, finished.stderr.trim())),
    };
    (ended, finished.stdout)
}

/// The id in `{"session_id":"…"}`.
fn session_id(stdout: &str) -> Option<String> {
    let started: serde_json::Value = serde_json::from_str(stdout).ok()?;
    Some(started["session_id"].as_str()?.to_owned())
}

/// Ends the processes that were started with a path in `dir` and are not the daemon that was asked to.
///
/// Their command lines tell; where there is no `/proc`, there is nothing to look at.
fn left_behind(dir: &Path) -> impl Iterator<Item = String> {
    let dir = dir.to_string_lossy().into_owned();
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.filter_map(move |process| {
        let line = std::fs::read(process.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        let pid = process.file_name().to_string_lossy().parse::<u32>().ok()?;
        let ours = line.contains(&dir) && pid != std::process::id();
        ours.then(|| {
            let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).status(); // it may be gone
            line
        })
    })
}
