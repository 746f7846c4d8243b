//! `wrap`: a compiler through the daemon, and without one.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use testkit::{Finished, Process, TempEndpoint, watchdog};
use zccache_ipc::model::{Backpressure, Response};

use crate::daemon::{Daemon, Manner};
use crate::support::{self, SOON, code, program, run};

const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Runs `command` to its end with its own standard input, which a `Process` takes away.
#[track_caller]
fn output(command: &mut Command) -> Finished {
    let output = command.output().expect("it can be started");
    let text = |bytes| String::from_utf8(bytes).expect("these tools write UTF-8");
    Finished { status: output.status, stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// A place with a source, whose daemon is stopped at the end.
struct Place(TempEndpoint);

impl Place {
    fn new() -> Self {
        let place = TempEndpoint::new();
        fs::write(place.dir().join("a.c"), "int main(void) { int unused; return 0; }\n")
            .expect("the place takes files");
        fs::write(place.dir().join("bad.c"), "int x\n").expect("the place takes files");
        Self(place)
    }

    /// `wrap` with `arguments`, words of one line.
    fn wrap(&self, line: &str) -> Command {
        let mut command = program(&self.0, &["wrap"]);
        command.args(line.split_whitespace()).env("PATH", PATH).stdin(Stdio::null());
        command
    }

    fn run(&self, line: &str) -> Finished {
        Process::spawn(&mut self.wrap(line)).finish(SOON)
    }

    fn script(&self, name: &str, text: &str) {
        let path = self.0.dir().join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("the place takes files");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("the place takes files");
    }

    fn object(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.dir().join(name)).expect("the place takes files")
    }

    fn start_real(&self) -> Process {
        let daemon = testkit::program("zccache-daemon");
        let mut command = self.0.command(daemon);
        let daemon = Process::spawn(command.arg("--foreground"));
        testkit::eventually(SOON, "the daemon answers", || code(&run(&self.0, &["ping"])) == 0);
        daemon
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = Process::spawn(&mut program(&self.0, &["stop"])).wait_exit(SOON);
    }
}

/// Checks that the compiler of `finished` ran here, and that one line says so.
#[track_caller]
fn ran_here(finished: &Finished, why: &str) {
    let said: Vec<_> = finished.stderr.lines().filter(|line| line.starts_with("zccache-ipc: ")).collect();
    assert!(said.len() == 1 && said[0].contains(why), "{why}: {finished:?}");
}

#[test]
fn the_first_is_a_miss_and_the_second_a_hit_and_both_are_as_without_it() {
    let _watchdog = watchdog(2 * SOON);
    let place = Place::new();
    let mut plain = place.0.command("/usr/bin/cc");
    plain.args(["-Wall", "-c", "a.c", "-o", "plain.o"]).env("PATH", PATH);
    let plain = plain.output().unwrap();
    let warned = String::from_utf8(plain.stderr).unwrap();
    assert!(warned.contains("unused"), "{warned}");
    let _daemon = place.start_real();
    for (round, (hits, misses)) in [(0, 1), (1, 1)].into_iter().enumerate() {
        let wrapped = place.run("--no-start -- cc -Wall -c a.c -o a.o");
        assert_eq!((code(&wrapped), wrapped.stdout.as_str()), (0, ""), "{wrapped:?}");
        assert_eq!(wrapped.stderr, warned, "round {round}");
        assert!(place.object("a.o") == place.object("plain.o"));
        fs::remove_file(place.0.dir().join("a.o")).unwrap();
        let (_, status) = support::json(&place.0, &["status"]);
        let figures = (status["cache_hits"].as_u64(), status["cache_misses"].as_u64());
        assert_eq!(figures, (Some(hits), Some(misses)), "round {round}");
    }
    let failed = place.run("-- cc -c bad.c");
    assert_eq!(code(&failed), 1);
    assert!(failed.stderr.contains("bad.c:1:") && !failed.stderr.contains("zccache-ipc"), "{failed:?}");
}

#[test]
fn parallel_builds_without_a_daemon_start_and_share_one() {
    let _built = testkit::program("zccache-daemon");
    let _watchdog = watchdog(2 * SOON);
    let place = Place::new();
    let wraps: Vec<_> = (0..6)
        .map(|number| Process::spawn(&mut place.wrap(&format!("-- cc -c a.c -o {number}.o"))))
        .collect();
    for wrap in wraps {
        let finished = wrap.finish(SOON);
        assert_eq!((code(&finished), finished.stderr.as_str()), (0, ""), "{finished:?}");
    }
    let (_, status) = support::json(&place.0, &["status"]);
    assert_eq!(status["total_compilations"], 6);
    assert!((1..6).all(|number| place.object("0.o") == place.object(&format!("{number}.o"))));
}

#[test]
fn without_a_daemon_the_compiler_runs_as_if_it_was_not_wrapped() {
    let _watchdog = watchdog(SOON);
    let place = Place::new();
    let ran = place.run("--no-start -- cc -c a.c");
    assert_eq!((code(&ran), ran.stdout.as_str(), ran.stderr.as_str()), (0, "", ""));
    assert!(place.0.dir().join("a.o").exists());
    // As it ends, and with its own streams.
    place.script("tool", "/bin/cat; echo err >&2; exit 77");
    fs::write(place.0.dir().join("input"), "in").unwrap();
    let input = fs::File::open(place.0.dir().join("input")).unwrap();
    let ran = output(place.wrap("--no-start ./tool -x").stdin(input));
    assert_eq!((code(&ran), ran.stdout.as_str(), ran.stderr.as_str()), (77, "in", "err\n"), "{ran:?}");
    place.script("killed", "kill -9 $$");
    let pipe = output(place.wrap("--no-start ./killed").stdin(Stdio::piped()));
    assert_eq!(pipe.status.signal(), Some(9), "the program takes the place of this one: {pipe:?}");
}

#[test]
fn a_missing_or_broken_compiler_gives_the_exit_status_of_a_shell() {
    let _watchdog = watchdog(SOON);
    let place = Place::new();
    for (line, expected) in
        [("-- no-such-cc -c a.c", 127), ("--no-start -- /nonexistent/cc", 127), ("--no-start -- ./a.c", 126)]
    {
        let finished = place.run(line);
        assert_eq!(code(&finished), expected, "{line}: {finished:?}");
        assert!(!finished.stderr.is_empty() && finished.stdout.is_empty(), "{finished:?}");
    }
    assert_eq!(code(&place.run("")), 2);
}

#[test]
fn a_daemon_that_gives_no_result_costs_the_cache_and_not_the_build() {
    let _watchdog = watchdog(2 * SOON);
    let busy = Backpressure { queue_depth: 1, retry_after_ms: 60_000, reason: "tired".to_owned() };
    for (manner, why) in [
        (Manner::Says(Box::new(Response::error("no"))), "refused: no"),
        (Manner::Says(Box::new(Response::Pong)), "answered with Pong"),
        (Manner::Says(Box::new(Response::Backpressure(busy))), "busy: tired"),
        (Manner::Silent, "gave no result"),
    ] {
        let place = Place::new();
        let daemon = Daemon::start(&place.0, manner);
        let mut command = place.wrap("-- cc -c a.c");
        // What is learned about a daemon first is asked for in the same time.
        command.env("ZCCACHE_WEDGE_RECV_TIMEOUT_SECS", "1").env("ZCCACHE_DAEMON_WIRE", "v15");
        let ran = Process::spawn(&mut command).finish(SOON);
        assert_eq!((code(&ran), ran.stdout.as_str()), (0, ""), "{ran:?}");
        ran_here(&ran, why);
        assert!(place.0.dir().join("a.o").exists());
        drop(daemon);
    }
}

#[test]
fn arguments_that_are_not_unicode_are_compiled_without_a_message() {
    let _watchdog = watchdog(2 * SOON);
    let place = Place::new();
    let _daemon = place.start_real();
    for name in ["X", "CPATH"] {
        let mut command = place.wrap("-- cc -c a.c");
        command.arg(OsStr::from_bytes(b"-DX=\xff")).env(name, OsStr::from_bytes(b"\xff"));
        let ran = Process::spawn(&mut command).finish(SOON);
        assert_eq!((code(&ran), ran.stderr.as_str()), (0, ""), "{name}");
    }
    assert!(place.0.dir().join("a.o").exists());
}

#[test]
fn a_compiler_that_reads_standard_input_gets_it() {
    let _watchdog = watchdog(2 * SOON);
    let place = Place::new();
    let _daemon = place.start_real();
    let source = place.0.dir().join("a.c");
    let wrapped = |line: &str| {
        let input = fs::File::open(&source).unwrap();
        let mut cat = Command::new("/bin/cat").stdin(input).stdout(Stdio::piped()).spawn().unwrap();
        let mut command = place.wrap(line);
        let finished = output(command.stdin(cat.stdout.take().unwrap()));
        cat.wait().unwrap();
        finished
    };
    let compiled = wrapped("-- cc -x c -c - -o in.o");
    assert_eq!((code(&compiled), compiled.stderr.as_str()), (0, ""), "{compiled:?}");
    assert!(place.0.dir().join("in.o").exists());
    // A pipe that nobody told it to read may stay open for ever: the tool has it for itself.
    let cat = wrapped("-- /bin/cat");
    assert_eq!((cat.stdout, cat.stderr.as_str()), (fs::read_to_string(&source).unwrap(), ""));
    let (mut held, open) = held_pipe(&place.0);
    let compiled = output(place.wrap("-- cc -c a.c -o held.o").stdin(open));
    assert_eq!(code(&compiled), 0, "{compiled:?}");
    held.kill();
    let (_, status) = support::json(&place.0, &["status"]);
    assert_eq!((&status["total_compilations"], &status["non_cacheable"]), (&2.into(), &1.into()));
}

/// A pipe whose other end stays open.
fn held_pipe(place: &TempEndpoint) -> (Process, fs::File) {
    let path: &Path = &place.dir().join("held");
    assert!(Command::new("/usr/bin/mkfifo").arg(path).status().expect("there is a mkfifo").success());
    let held = Process::spawn(place.command("/bin/sh").args(["-c", "exec 3<>held; exec /bin/sleep 600"]));
    (held, fs::File::open(path).expect("the pipe is there"))
}

#[test]
fn a_session_counts_its_compilations() {
    let _watchdog = watchdog(2 * SOON);
    let place = Place::new();
    let _daemon = place.start_real();
    let id = run(&place.0, &["session", "start"]).stdout;
    for _ in 0..2 {
        let mut command = place.wrap("-- cc -c a.c");
        assert_eq!(code(&Process::spawn(command.env("ZCCACHE_SESSION_ID", id.trim())).finish(SOON)), 0);
    }
    let (_, ended) = support::json(&place.0, &["session", "end", id.trim()]);
    let figures = ["compilations", "hits", "misses"].map(|name| ended["stats"][name].as_u64().unwrap());
    assert_eq!(figures, [2, 1, 1]);
    // One that is no session is the daemon's to refuse, and no reason not to compile.
    let mut command = place.wrap("-- cc -c a.c");
    let ran = Process::spawn(command.env("ZCCACHE_SESSION_ID", "junk")).finish(SOON);
    assert_eq!(code(&ran), 0);
    ran_here(&ran, "invalid session ID: junk");
}
