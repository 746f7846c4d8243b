//! A program of a command line at work, with a tap between it and its daemon.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::daemon::{Daemon, PATIENCE};
use super::family::Fixture;
use super::outcome::Outcome;
use super::tap::Tap;
use super::trace::Trace;
use conformance::sandbox::Sandbox;

/// A daemon, and a program that is alone: nothing that it could start is beside it.
pub(crate) struct Typist {
    sandbox: Sandbox,
    endpoint: String,
    program: PathBuf,
    taps: usize,
    /// The files, keys and ids that the command lines name.
    pub(crate) fixture: Fixture,
}

/// The observed result of one command line.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// The messages on the line.
    pub(crate) trace: Result<Trace, String>,
    /// The result of the program's run.
    pub(crate) outcome: Outcome,
}

impl Typist {
    /// Starts `daemon`, and copies `program` to where it is alone.
    ///
    /// # Errors
    ///
    /// When the daemon does not start.
    pub(crate) fn new(daemon: &Daemon, program: &Path) -> Result<Self> {
        let sandbox = Sandbox::new()?;
        let endpoint = daemon.start(&sandbox)?;
        let fixture = Fixture::new(&sandbox)?;
        let program = alone(program, &sandbox, "")?;
        Ok(Self { sandbox, endpoint, program, taps: 0, fixture })
    }

    /// Where its daemon listens, without a tap.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Runs one command line, and returns what it wrote to standard output, too; `stops` says that the daemon
    /// must end by it.
    ///
    /// # Errors
    ///
    /// When the tap cannot listen.
    pub(crate) fn run(
        &mut self,
        stops: bool,
        complete: impl FnOnce(&mut Command, &str, &Fixture),
    ) -> Result<(Seen, String)> {
        let Self { sandbox, fixture, .. } = self;
        let tap = Tap::open(sandbox, self.taps, &self.endpoint)?;
        self.taps += 1;
        let mut command = sandbox.command(&self.program)?;
        command.current_dir(fixture.work()).env("PATH", Fixture::PATH).env("RUNNING_PROCESS_DISABLE", "1");
        complete(&mut command, tap.endpoint(), fixture);
        let hold = sandbox.hold()?;
        let (mut outcome, stdout) = Outcome::of(&mut command, sandbox.dir(), fixture);
        drop(hold);
        if stops && outcome.code == Some(0) {
            if !testkit::holds_within(PATIENCE, || sandbox.daemon_ended()) {
                outcome.fails("the daemon still runs");
            }
        } else if sandbox.daemon_ended() {
            outcome.fails("the daemon ended");
        }
        let trace = Trace::of(&tap.close()).map_err(|error| format!("{error:#}"));
        let trace = trace.map(Trace::without_silent_connections);
        Ok((Seen { trace, outcome }, stdout))
    }

    /// Ends what the programs have left running.
    ///
    /// # Errors
    ///
    /// When there was something.
    pub(crate) fn finish(self) -> Result<()> {
        // A daemon that did not stop is told in its cell.
        self.sandbox.end_daemon();
        let left: Vec<_> = left_behind(self.sandbox.dir()).collect();
        ensure!(left.is_empty(), "processes were left behind, and ended: {left:?}");
        Ok(())
    }
}

/// Copies the program into a directory `name` of the sandbox, alone.
pub(crate) fn alone(program: &Path, sandbox: &Sandbox, name: &str) -> Result<PathBuf> {
    let dir = sandbox.dir().join("bin").join(name);
    let _hold = sandbox.hold()?;
    std::fs::create_dir_all(&dir)?;
    let copy = dir.join(program.file_name().context("a program has a name")?);
    // A link is as alone as a copy is, and does not take its time; on another file system there is none.
    if std::fs::hard_link(program, &copy).is_err() {
        std::fs::copy(program, &copy).with_context(|| format!("cannot copy {}", program.display()))?;
    }
    Ok(copy)
}

/// Ends the processes that were started with a path in `dir` and are not the daemon that was asked to.
///
/// Their command lines tell; where there is no `/proc`, there is nothing to look at.
pub(crate) fn left_behind(dir: &Path) -> impl Iterator<Item = String> {
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
