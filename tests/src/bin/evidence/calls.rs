//! System calls that fail: the first of each kind, then the second, until none is left to fail.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use conformance::programs::Programs;
use testkit::{Finished, Process, TempEndpoint};
use zccache_ipc::ClientConfig;
use zccache_ipc::blocking::Client;

use crate::place::{SOON, artifact, connected, nothing_left, spawn};

/// Kinds of system calls, each with the error that it is given.
///
/// `write` of the daemon is left out: its runtime wakes itself with one, which no full disk makes fail. The store
/// and its size are the calls that remain.
const CALLS: &[(&str, &str, &str)] = &[
    ("open", "open,openat", "EMFILE"),
    ("write", "pwrite64,ftruncate,fallocate", "ENOSPC"),
    ("write of a command line", "write", "ENOSPC"),
    ("fsync", "fsync,fdatasync", "EIO"),
    ("rename", "rename,renameat,renameat2", "EACCES"),
    ("bind", "bind", "EACCES"),
    ("listen", "listen", "EADDRINUSE"),
    ("accept", "accept,accept4", "EMFILE"),
    ("fork", "clone,clone3,fork,vfork", "EAGAIN"),
];

/// The panic of tokio where the system gives it no thread.
const NO_THREAD: &str = "OS can't spawn worker thread";

/// Command lines that are called while a daemon serves; `start` is called without one.
const VERBS: &[(&str, &[&str])] = &[
    ("start", &["start"]),
    ("store", &["store", "by-line", "a.c"]),
    ("compile", &["wrap", "--", "cc", "-c", "a.c", "-o", "a.o"]),
    ("stop", &["stop"]),
];

/// The result of trying one program.
#[derive(Default)]
struct Seen {
    /// Runs in which a call failed.
    runs: u64,
    /// Runs that ended with exit status 0, or served until they were asked to stop.
    succeeded: u64,
    slowest: Duration,
}

/// Fails at most `limit` calls of each kind in the daemon and in each command line.
///
/// # Errors
///
/// A panic, a signal, a hang, a lost entry, or a file that keeps the next daemon from starting.
pub(crate) fn run(programs: &Programs, limit: u64) -> Result<String> {
    if let Some(reason) = unable() {
        return Ok(format!("Not run: {reason}.\n"));
    }
    let mut page = "`strace --inject` fails the Nth system call of each thread, for N from 1 until no call is left to fail. Each run must end \
        in success or in an error with a text, within 30 s, without a signal, and without a panic other \
        than that of tokio where it gets no thread (fork); afterwards a daemon starts, every answered store is \
        found, and nothing is left to clean.\n\n| program | failing call | runs | of these without an error | slowest |\n|---|---|---|---|---|\n"
        .to_owned();
    for (kind, calls, error) in CALLS {
        let injection = format!("inject={calls}:error={error}:when=");
        let mut row = |program: &str, seen: Seen| {
            let _ = writeln!(
                page,
                "| {program} | {kind} ({error}) | {} | {} | {:.1} s |",
                seen.runs,
                seen.succeeded,
                seen.slowest.as_secs_f32()
            );
            println!("{program}, {kind}: {} runs, {} without an error", seen.runs, seen.succeeded);
        };
        if *calls != "write" {
            let seen = each(limit, |n| daemon(programs, &format!("{injection}{n}")))
                .with_context(|| format!("daemon, {kind}"))?;
            row("zccache-daemon: start, store, compile, stop", seen);
        }
        for (name, arguments) in VERBS {
            let seen = each(limit, |n| line(programs, name, arguments, &format!("{injection}{n}")))
                .with_context(|| format!("{name}, {kind}"))?;
            row(&format!("zccache-ipc {name}"), seen);
        }
    }
    Ok(page)
}

/// Returns the reason why no call can be made to fail here.
fn unable() -> Option<&'static str> {
    let mut strace = Command::new("strace");
    strace.args(["--seccomp-bpf", "-f", "-e", "inject=fsync:error=EIO:when=1", "-o", "/dev/null", "true"]);
    let status = strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    match status {
        Err(_) => Some("strace is not installed"),
        Ok(status) if !status.success() => Some("strace may not trace here, or cannot inject"),
        Ok(_) => None,
    }
}

/// Counts the runs of `one` until it reports that no call failed.
fn each(limit: u64, mut one: impl FnMut(u64) -> Result<Option<bool>>) -> Result<Seen> {
    let mut seen = Seen::default();
    for n in 1..=limit {
        let began = Instant::now();
        let Some(succeeded) = one(n).with_context(|| format!("call {n}"))? else { break };
        seen.runs += 1;
        seen.succeeded += u64::from(succeeded);
        seen.slowest = seen.slowest.max(began.elapsed());
    }
    Ok(seen)
}

/// Returns a command that runs `program` with a failing call, and writes the call to `log`.
fn injected(place: &TempEndpoint, program: &Path, injection: &str, log: &Path, follow: bool) -> Command {
    let mut command = place.command("strace");
    command.args(["-qqq", "-e", injection, "-e", "signal=none", "-o"]).arg(log);
    let calls = injection.trim_start_matches("inject=").split(':').next().unwrap_or_default();
    command.args(["-e", &format!("trace={calls}")]);
    if follow {
        command.args(["-f", "--seccomp-bpf"]);
    }
    command.arg("--").arg(program);
    command.env("PATH", "/usr/local/bin:/usr/bin:/bin");
    command
}

fn was_injected(log: &Path) -> Result<bool> {
    Ok(std::fs::read_to_string(log)?.contains("(INJECTED)"))
}

/// Fails unless the program ended by itself, with a text if not with success.
fn check(finished: &Finished) -> Result<bool> {
    let code = finished.status.code();
    ensure!(code.is_some(), "ended with {}: {}", finished.status, finished.stderr);
    let panics = finished.stderr.matches("panicked at").count();
    // Counted twice where the daemon logs its panics, too.
    ensure!(panics <= 2 * finished.stderr.matches(NO_THREAD).count(), "{}", finished.stderr);
    ensure!(code == Some(0) || !finished.stderr.trim().is_empty(), "exit status {code:?} without a text");
    Ok(code == Some(0))
}

/// Kills what a tracer runs: it goes on where the tracer alone is killed.
struct Traced(u32);

impl Drop for Traced {
    fn drop(&mut self) {
        let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.0));
        for child in children.unwrap_or_default().split_whitespace() {
            let _ = Command::new("kill").args(["-9", child]).status(); // it may have ended
        }
    }
}

/// Runs a daemon through its life; `None` if no call failed.
fn daemon(programs: &Programs, injection: &str) -> Result<Option<bool>> {
    let place = TempEndpoint::new();
    let log = place.dir().join("calls");
    std::fs::write(place.dir().join("a.c"), "int a;\n")?;
    let mut command = injected(&place, &programs.daemon(), injection, &log, true);
    command.args(["--foreground", "--endpoint", &place.name()]);
    let mut process = Process::spawn(&mut command);
    let _guard = Traced(process.id());
    let mut stored = Vec::new();
    let deadline = Instant::now() + SOON;
    let config = ClientConfig::within(Duration::from_secs(5));
    let mut serves = false;
    while process.is_running() && !serves && Instant::now() < deadline {
        let mut client = Client::new(place.name(), config);
        serves = client.ping().is_ok();
        std::thread::sleep(Duration::from_millis(1)); // nothing announces it
    }
    if serves {
        for n in 0..3 {
            // An error is an answer; what was answered with success must stay.
            let mut client = Client::new(place.name(), config);
            if client.store(format!("k{n}"), artifact(n)).is_ok() {
                stored.push(n);
            }
            let _ = client.lookup(format!("k{n}"));
        }
        let mut wrap = place.command(programs.path("zccache-ipc"));
        wrap.args(["--endpoint", &place.name(), "wrap", "--", "cc", "-c", "a.c", "-o", "a.o"]);
        wrap.env("PATH", "/usr/local/bin:/usr/bin:/bin");
        let compiled = Process::spawn(&mut wrap).finish(SOON);
        ensure!(compiled.status.success(), "a build broke: {}", compiled.stderr);
        let mut stop = place.command(programs.path("zccache-ipc"));
        stop.args(["--endpoint", &place.name(), "stop"]);
        Process::spawn(&mut stop).wait_exit(SOON);
        // The answer to the first one can be lost.
        let mut again = place.command(programs.path("zccache-ipc"));
        again.args(["--endpoint", &place.name(), "stop"]);
        Process::spawn(&mut again).wait_exit(SOON);
    }
    let succeeded = check(&process.finish(SOON))?;
    let failed = was_injected(&log)?;
    serves_again(programs, &place, &stored)?;
    Ok(failed.then_some(succeeded && serves))
}

/// Starts a healthy daemon in the same place, and looks every answered entry up.
fn serves_again(programs: &Programs, place: &TempEndpoint, stored: &[u64]) -> Result<()> {
    let mut process = spawn(place, &programs.daemon(), &[]);
    let mut client = connected(&place.name()).context("the next daemon")?;
    for n in stored {
        ensure!(
            client.lookup(format!("k{n}"))? == Some(artifact(*n)),
            "entry {n} was answered for and is lost"
        );
    }
    client.shutdown()?;
    process.wait_exit(SOON);
    nothing_left(place)
}

/// Runs one command line; `None` if no call failed.
fn line(programs: &Programs, name: &str, arguments: &[&str], injection: &str) -> Result<Option<bool>> {
    let place = TempEndpoint::new();
    let log = place.dir().join("calls");
    std::fs::write(place.dir().join("a.c"), "int a;\n")?;
    let mut process = (name != "start").then(|| spawn(&place, &programs.daemon(), &[]));
    if process.is_some() {
        drop(connected(&place.name())?);
    }
    let mut command = injected(&place, &programs.path("zccache-ipc"), injection, &log, false);
    command.args(["--endpoint", &place.name()]).args(arguments);
    if name == "start" {
        command.arg("--daemon-binary").arg(programs.daemon());
    }
    let finished = Process::spawn(&mut command).finish(SOON);
    let succeeded = check(&finished)?;
    if name == "store" && succeeded {
        ensure!(
            connected(&place.name())?.lookup("by-line")?.is_some(),
            "said to be stored, and is not there"
        );
    }
    // Whatever failed, the next ones succeed; the daemon that starts then removes the files of dead writers.
    stop(programs, &place)?;
    if let Some(process) = &mut process {
        process.wait_exit(SOON);
    }
    let mut start = place.command(programs.path("zccache-ipc"));
    start.args(["--endpoint", &place.name(), "start", "--daemon-binary"]).arg(programs.daemon());
    let started = Process::spawn(&mut start).finish(SOON);
    ensure!(started.status.success(), "the next start: {}", started.stderr);
    stop(programs, &place)?;
    nothing_left(&place)?;
    Ok(was_injected(&log)?.then_some(succeeded))
}

/// Stops the daemon at `place`, and waits until it is gone.
fn stop(programs: &Programs, place: &TempEndpoint) -> Result<()> {
    let mut stop = place.command(programs.path("zccache-ipc"));
    let stopped = Process::spawn(stop.args(["--endpoint", &place.name(), "stop"])).finish(SOON);
    ensure!(stopped.status.success(), "the next stop: {}", stopped.stderr);
    Ok(())
}
