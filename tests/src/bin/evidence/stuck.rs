//! Daemons that do not answer as they should, against every verb and against a build.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bytes::BytesMut;
use conformance::programs::Programs;
use testkit::{Process, TempEndpoint};
use zccache_ipc::model::Response;
use zccache_ipc::wire_dispatch::{FrameKind, Ids, Lane, encode};

use crate::place::{SOON, connected, spawn};

/// Timeout that each verb is called with.
const TIMEOUT: &str = "2";
/// Longest time of a verb: its timeout, and as much again for a loaded machine, a retry and a new daemon.
const MOST: Duration = Duration::from_secs(15);
/// Compilations of one build; 8 run at a time.
const FILES: usize = 24;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// A daemon that is stopped by a signal.
    Frozen,
    /// Accepts connections and writes nothing.
    Silent,
    /// Writes the first half of a reply.
    Half,
    /// Answers after a second.
    Slow,
}

const MANNERS: [Manner; 4] = [Manner::Frozen, Manner::Silent, Manner::Half, Manner::Slow];

const VERBS: &[&[&str]] = &[
    &["ping"],
    &["status"],
    &["store", "k", "a0.c"],
    &["lookup", "k", "-o", "found"],
    &["session", "start"],
    &["fp", "check", "--cache-file", "fp.json", "--include", "*.c"],
    &["artifacts"],
    &["release-handles", "."],
    &["probe"],
    &["doctor"],
    &["wrap", "--", "cc", "-c", "a0.c", "-o", "a0.o"],
    &["clear"],
    &["start"],
    &["stop"],
];

/// Calls `verbs` verbs of each daemon, and builds with each.
///
/// # Errors
///
/// A verb or a build that takes too long, and a build that fails.
pub(crate) fn run(programs: &Programs, verbs: usize) -> Result<String> {
    let mut page = format!(
        "Each verb with `--timeout {TIMEOUT}` and a daemon of its own, and a build of {FILES} C files through `zccache-ipc wrap`, 8 at a time. \
         A verb must end within {} s with an exit status of docs/cli.md; the build must succeed.\n\n\
         | daemon | slowest verb | exit statuses | build |\n|---|---|---|---|\n",
        MOST.as_secs()
    );
    for manner in MANNERS {
        let mut slowest = (Duration::ZERO, "");
        let mut codes = std::collections::BTreeMap::<i32, u32>::new();
        for verb in VERBS.iter().take(verbs) {
            let (took, code) = call(programs, manner, verb)?;
            slowest = slowest.max((took, verb[0]));
            *codes.entry(code).or_default() += 1;
        }
        // The short run builds with a frozen daemon only; the others cost each compilation its timeout.
        let builds = manner == Manner::Frozen || verbs > 4;
        let build = if builds { build(programs, manner)? } else { Duration::ZERO };
        let codes: Vec<_> = codes.iter().map(|(code, count)| format!("{code}: {count}")).collect();
        let (took, verb) = (slowest.0.as_secs_f32(), slowest.1);
        let _ = writeln!(
            page,
            "| {manner:?} | `{verb}` {took:.1} s | {} | {:.1} s |",
            codes.join(", "),
            build.as_secs_f32()
        );
        println!("{manner:?}: {verb} {took:.1} s, build {:.1} s", build.as_secs_f32());
    }
    Ok(page)
}

fn line(place: &TempEndpoint, programs: &Programs, arguments: &[&str]) -> Command {
    let mut command = place.command(programs.path("zccache-ipc"));
    command.args(["--endpoint", &place.name(), "--timeout", TIMEOUT]).args(arguments);
    command.env("PATH", "/usr/local/bin:/usr/bin:/bin");
    command
}

fn call(programs: &Programs, manner: Manner, verb: &[&str]) -> Result<(Duration, i32)> {
    let place = TempEndpoint::new();
    std::fs::write(place.dir().join("a0.c"), "int a;\n")?;
    let stuck = Stuck::begin(&place, programs, manner)?;
    let began = Instant::now();
    let finished = Process::spawn(&mut line(&place, programs, verb)).finish(SOON * 2);
    let took = began.elapsed();
    ensure!(took < MOST, "{manner:?}, {verb:?}: {took:?}");
    let code = finished.status.code().unwrap_or(-1);
    ensure!((0..=8).contains(&code), "{manner:?}, {verb:?}: {} {}", finished.status, finished.stderr);
    ensure!(verb[0] != "wrap" || code == 0, "{manner:?}: a compilation failed: {}", finished.stderr);
    stuck.end(&place, programs);
    Ok((took, code))
}

fn build(programs: &Programs, manner: Manner) -> Result<Duration> {
    let place = TempEndpoint::new();
    for n in 0..FILES {
        std::fs::write(place.dir().join(format!("a{n}.c")), format!("int a{n};\n"))?;
    }
    let stuck = Stuck::begin(&place, programs, manner)?;
    let began = Instant::now();
    let mut waiting: Vec<usize> = (0..FILES).collect();
    let mut running: Vec<Process> = Vec::new();
    while !waiting.is_empty() || !running.is_empty() {
        while running.len() < 8
            && let Some(n) = waiting.pop()
        {
            let (source, object) = (format!("a{n}.c"), format!("a{n}.o"));
            let mut command = place.command(programs.path("zccache-ipc"));
            command.args(["--endpoint", &place.name(), "wrap", "--", "cc", "-c", &source, "-o", &object]);
            command.env("PATH", "/usr/local/bin:/usr/bin:/bin");
            running.push(Process::spawn(&mut command));
        }
        let done: Vec<_> = running.extract_if(.., |process| !process.is_running()).collect();
        for process in done {
            let finished = process.finish(SOON);
            ensure!(finished.status.success(), "{manner:?}: {}", finished.stderr);
        }
        ensure!(began.elapsed() < SOON * 4, "{manner:?}: the build hangs");
        std::thread::sleep(Duration::from_millis(2)); // children announce nothing
    }
    let took = began.elapsed();
    for n in 0..FILES {
        ensure!(place.dir().join(format!("a{n}.o")).exists(), "a{n}.o is missing");
    }
    stuck.end(&place, programs);
    Ok(took)
}

/// A daemon that does not answer as it should.
enum Stuck {
    Daemon(Process),
    Played(Arc<AtomicBool>),
}

impl Stuck {
    fn begin(place: &TempEndpoint, programs: &Programs, manner: Manner) -> Result<Self> {
        if manner == Manner::Frozen {
            let process = spawn(place, &programs.daemon(), &[]);
            drop(connected(&place.name())?);
            let status = Command::new("kill").args(["-STOP", &process.id().to_string()]).status()?;
            ensure!(status.success(), "kill -STOP: {status}");
            return Ok(Self::Daemon(process));
        }
        let listener = UnixListener::bind(place.socket())?;
        listener.set_nonblocking(true)?;
        let over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&over);
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            while !until.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((stream, _)) if manner == Manner::Silent => kept.push(stream),
                    Ok((stream, _)) => drop(std::thread::spawn(move || answer(manner, stream))),
                    Err(_) => std::thread::sleep(Duration::from_millis(2)), // until the next connection
                }
            }
        });
        Ok(Self::Played(over))
    }

    /// Ends it, and the daemon that may have taken its place.
    fn end(self, place: &TempEndpoint, programs: &Programs) {
        match self {
            Self::Daemon(process) => drop(process),
            Self::Played(over) => over.store(true, Ordering::Relaxed),
        }
        Process::spawn(&mut line(place, programs, &["stop"])).wait_exit(SOON);
    }
}

fn answer(manner: Manner, mut stream: UnixStream) {
    // An accepted socket may have its listener's mode; the peer may have gone.
    let _ = stream.set_nonblocking(false);
    while stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {
        let ids = Ids { request_id: "control-ping".to_owned(), frame_request_id: 0 };
        let mut pong = BytesMut::new();
        encode(&Response::Pong, Lane::V16, &ids, FrameKind::Response, &mut pong).expect("a pong can be sent");
        let whole = if manner == Manner::Half { pong.len() / 2 } else { pong.len() };
        if manner == Manner::Slow {
            std::thread::sleep(Duration::from_secs(1)); // the manner of this daemon
        }
        if stream.write_all(&pong[..whole]).is_err() {
            return;
        }
    }
}
