//! The client of `examples/python`, which is written from `docs/spec` alone, against our daemon.
#![cfg(unix)] // It opens a Unix socket.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use testkit::{Process, TempEndpoint, eventually, program, watchdog};

/// The daemon may have to be built first.
const LIMIT: Duration = Duration::from_secs(600);

/// The time that each step may take.
const STEP: Duration = Duration::from_secs(30);

#[test]
fn a_client_written_from_the_specification_is_served_by_our_daemon() {
    let _watchdog = watchdog(LIMIT);
    let Some(python) = python() else {
        eprintln!("SKIPPED: no python3 of at least 3.9 on PATH, so examples/python was not run");
        return;
    };
    let place = TempEndpoint::new();
    let mut daemon = place.command(program("zccache-daemon"));
    let _daemon = Process::spawn(daemon.args(["--foreground", "--endpoint", &place.name()]));
    eventually(STEP, "the daemon listens", || UnixStream::connect(place.socket()).is_ok());

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/python/zccache_client.py");
    let mut client = place.command(python);
    let ended = Process::spawn(client.args(["-I", "-B"]).arg(script).arg(place.socket())).finish(STEP);
    assert!(ended.status.success(), "{ended:?}");
    let expected = [
        "v15 ping: pong",
        "v16 ping: pong, on the same connection",
        "FrameV1 ping: pong, on the same connection",
        "store: stored",
        "lookup: hit, 2 outputs",
        "lookup of another key: miss",
    ];
    let lines: Vec<&str> = ended.stdout.lines().collect();
    let (refusal, before) = lines.split_last().expect("it says something");
    assert_eq!(before, expected);
    let start = "version 99: refused: protocol version mismatch: daemon zccache v";
    assert!(refusal.starts_with(start), "{refusal}");
}

/// Returns the path of a Python that can run the client.
fn python() -> Option<PathBuf> {
    // A version manager's shim needs the caller's environment, and the program behind it does not.
    let question = "import sys; assert sys.version_info >= (3, 9); print(sys.executable)";
    let answer = Command::new("python3").args(["-I", "-c", question]).output().ok()?;
    let path = String::from_utf8(answer.stdout).ok().filter(|_| answer.status.success())?;
    Some(PathBuf::from(path.trim_end()))
}
