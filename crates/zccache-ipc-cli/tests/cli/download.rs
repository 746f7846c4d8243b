//! `download`, against the daemon of this workspace and a web server of the test's own.

use std::fs;
use std::path::Path;

use serde_json::json;
use testkit::{Gate, Process, TempEndpoint, WebAnswer, WebServer, eventually, watchdog};

use crate::support::{SOON, code, json, parse, program, run};

const TAG: &str = "\"v1\"";
const LEN: usize = 256 * 1024;

/// A place whose download daemon is stopped at the end, however the test ends.
struct Place(TempEndpoint);

impl Place {
    fn new() -> Self {
        let _built = testkit::program("zccache-download-daemon");
        Self(TempEndpoint::new())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = Process::spawn(&mut program(&self.0, &["download", "stop"])).wait_exit(SOON);
    }
}

fn bytes() -> Vec<u8> {
    (0..LEN).map(|index| (index * 7 + index / 251) as u8).collect()
}

fn server() -> WebServer {
    WebServer::start(|request| match request.path.as_str() {
        "/missing" => WebAnswer::new(404, ""),
        _ => WebAnswer::file(request, &bytes(), TAG),
    })
}

/// Starts `download serve` and waits until it listens.
fn serve(place: &TempEndpoint, arguments: &[&str]) -> Process {
    let daemon = Process::spawn(&mut program(place, &[&["download", "serve"], arguments].concat()));
    eventually(SOON, "the download daemon answers", || code(&run(place, &["download", "status"])) == 0);
    daemon
}

#[test]
fn a_get_starts_a_daemon_that_holds_nothing_of_it_and_stop_ends_it() {
    let _watchdog = watchdog(3 * SOON);
    let (place, server) = (Place::new(), server());
    let place = &place.0;
    let url = server.url("/f");
    // Nobody is started by those who only ask.
    assert_eq!(json(place, &["download", "status"]).0, 3);
    assert_eq!(json(place, &["download", "get", "--no-start", &url, "f"]).0, 3);
    assert_eq!(json(place, &["download", "stop"]).1["result"], "nothing-to-stop");

    // Reads both streams to their ends, which a daemon that held them would never let come.
    let got = program(place, &["--json", "download", "get", &url, "deep/f"]).output().unwrap();
    assert!(got.status.success(), "{got:?}");
    let got = parse(&String::from_utf8(got.stdout).unwrap());
    let destination = place.dir().join("deep").join("f");
    assert_eq!(
        got,
        json!({ "result": "downloaded", "destination": destination.to_str(), "url": url, "bytes": LEN })
    );
    assert!(fs::read(&destination).unwrap() == bytes());

    let (code, status) = json(place, &["download", "status"]);
    assert_eq!((code, &status["active_downloads"], &status["connected_clients"]), (0, &json!(0), &json!(0)));
    // A pipe of Windows is in no directory.
    let has_socket = || place.cache_dir().join("download-daemon.sock").exists();
    assert_eq!(has_socket(), !cfg!(windows));
    let finished = run(place, &["download", "get", &server.url("/missing"), "g"]);
    assert_eq!((crate::support::code(&finished), finished.stdout.as_str()), (1, ""));
    assert!(finished.stderr.contains("the server answered 404"), "{}", finished.stderr);

    // A file that is there is left as it is, and nothing is said to be downloaded.
    fs::write(place.dir().join("there"), "mine").unwrap();
    let (code, told) = json(place, &["download", "get", &server.url("/missing"), "there"]);
    assert_eq!((code, &told["result"], &told["bytes"]), (0, &json!("already-there"), &json!(4)));
    let finished = run(place, &["download", "get", &url, "there"]);
    assert!(finished.stdout.contains("was there already (4 B), and nothing was downloaded"), "{finished:?}");
    let finished = run(place, &["download", "get", "--force", &server.url("/missing"), "there"]);
    assert_eq!(crate::support::code(&finished), 1, "{finished:?}");
    assert_eq!(fs::read_to_string(place.dir().join("there")).unwrap(), "mine");
    let (code, told) = json(place, &["download", "get", "--force", &url, "there"]);
    assert_eq!((code, &told["result"]), (0, &json!("downloaded")));
    assert!(fs::read(place.dir().join("there")).unwrap() == bytes());

    let (code, stopped) = json(place, &["download", "stop"]);
    assert_eq!((code, &stopped["result"]), (0, &json!("stopped")));
    assert!(!has_socket());
    assert_eq!(json(place, &["download", "status"]).0, 3);
}

#[test]
fn of_two_daemons_one_serves_and_the_other_says_who() {
    let _watchdog = watchdog(3 * SOON);
    let place = Place::new();
    let place = &place.0;
    let mut first = serve(place, &[]);
    let second = Process::spawn(&mut program(place, &["--json", "download", "serve"])).finish(SOON);
    assert_eq!((code(&second), &parse(&second.stdout)["result"]), (0, &json!("already-running")));
    // On Windows `serve` waits for the daemon, which is another process.
    let named = if cfg!(windows) { "process ".to_owned() } else { format!("process {}", first.id()) };
    assert!(second.stderr.contains(&named), "{}", second.stderr);
    assert!(first.is_running());
}

#[test]
fn parallel_downloads_without_a_daemon_start_one_and_share_its_download() {
    let _watchdog = watchdog(3 * SOON);
    let (place, gate) = (Place::new(), Gate::default());
    let of_server = gate.clone();
    let server = WebServer::start(move |request| {
        WebAnswer::file(request, &bytes(), TAG).hold_after(LEN / 2, &of_server)
    });
    let place = &place.0;
    let url = server.url("/f");
    let clients: Vec<_> =
        (0..4).map(|_| Process::spawn(&mut program(place, &["download", "get", &url, "f"]))).collect();
    eventually(SOON, "all of them are attached", || {
        json(place, &["download", "status"]).1["connected_clients"] == 4
    });
    gate.open();
    for client in clients {
        let finished = client.finish(SOON);
        assert_eq!(code(&finished), 0, "{finished:?}");
    }
    assert_eq!(server.requests().len(), 1);
    assert!(fs::read(place.dir().join("f")).unwrap() == bytes());
}

#[test]
fn a_get_that_is_out_of_time_leaves_and_the_next_one_goes_on_from_there() {
    let _watchdog = watchdog(3 * SOON);
    let (place, gate) = (Place::new(), Gate::default());
    let of_server = gate.clone();
    let server = WebServer::start(move |request| {
        let answer = WebAnswer::file(request, &bytes(), TAG);
        if request.range().is_some() { answer } else { answer.hold_after(LEN / 2, &of_server) }
    });
    let place = &place.0;
    let _daemon = serve(place, &[]);
    let url = server.url("/f");
    let (code, error) = json(place, &["--timeout", "1", "download", "get", &url, "f"]);
    assert_eq!((code, &error["error"]["kind"]), (4, &json!("timeout")));
    eventually(SOON, "the download is given up", || {
        json(place, &["download", "status"]).1["active_downloads"] == 0
    });
    assert!(place.dir().join("f.part").exists() && !place.dir().join("f").exists());
    assert_eq!(json(place, &["download", "get", &url, "f"]).0, 0);
    assert_eq!(server.requests().last().unwrap().range(), Some((LEN / 2, Some(LEN - 1))));
    assert!(fs::read(place.dir().join("f")).unwrap() == bytes());
    gate.open();
}

#[test]
fn a_client_outlives_a_daemon_that_is_killed_and_nothing_broken_is_in_place() {
    let _watchdog = watchdog(3 * SOON);
    let (place, gate) = (Place::new(), Gate::default());
    let of_server = gate.clone();
    let server = WebServer::start(move |request| {
        WebAnswer::file(request, &bytes(), TAG).hold_after(LEN / 4, &of_server)
    });
    let place = &place.0;
    let mut daemon = serve(place, &[]);
    let client = Process::spawn(&mut program(place, &["download", "get", &server.url("/f"), "f"]));
    let is_half = |path: &Path| fs::metadata(path).is_ok_and(|metadata| metadata.len() >= LEN as u64 / 4);
    eventually(SOON, "bytes have come", || is_half(&place.dir().join("f.part")));
    daemon.kill();
    gate.open();
    // It starts the next daemon itself.
    let finished = client.finish(SOON);
    assert_eq!(code(&finished), 0, "{finished:?}");
    assert!(fs::read(place.dir().join("f")).unwrap() == bytes());
    assert!(!place.dir().join("f.part").exists());
}

#[test]
fn an_unused_daemon_ends_by_itself() {
    let _watchdog = watchdog(2 * SOON);
    let place = Place::new();
    let daemon =
        Process::spawn(&mut program(&place.0, &["--json", "download", "serve", "--idle-timeout", "1"]));
    let finished = daemon.finish(SOON);
    assert_eq!((code(&finished), &parse(&finished.stdout)["result"]), (0, &json!("idle")));
}

#[test]
fn serve_execs_the_daemon_and_has_its_exit_status() {
    let _watchdog = watchdog(3 * SOON);
    let place = Place::new();
    let place = &place.0;
    let daemon = serve(place, &["--log-file", "d.log"]);
    let (_, stopped) = json(place, &["download", "stop"]);
    // The process that was started, and no other one: whoever signals it signals the daemon.
    // Windows replaces no process: there the command waits for the daemon.
    assert_eq!(stopped["pid"] == json!(daemon.id()), cfg!(unix), "{stopped}");
    let finished = daemon.finish(SOON);
    assert_eq!((code(&finished), finished.stdout.as_str(), finished.stderr.as_str()), (0, "", ""));
    // A path is one of the caller's directory.
    assert!(fs::read_to_string(place.dir().join("d.log")).unwrap().contains("listening"));

    fs::create_dir(place.dir().join("l")).unwrap();
    let (code, error) = json(place, &["download", "serve", "--log-file", "l"]);
    assert_eq!((code, &error["error"]["kind"]), (1, &json!("io")), "{error}");
    if cfg!(windows) {
        return; // a pipe can be made everywhere
    }
    let refused = run(place, &["--endpoint", "/proc/s", "download", "serve", "--log-file", "d.log"]);
    assert_eq!((crate::support::code(&refused), refused.stdout.as_str()), (1, ""));
    assert!(refused.stderr.starts_with("zccache-download-daemon: "), "{}", refused.stderr);
}

#[test]
fn a_missing_daemon_program_is_named_and_the_other_verbs_work() {
    let _watchdog = watchdog(3 * SOON);
    let place = Place::new();
    let place = &place.0;
    let alone = place.temp_dir().join(format!("zccache-ipc{}", std::env::consts::EXE_SUFFIX));
    let nowhere = place.dir().join("nowhere");
    let nowhere = nowhere.to_str().unwrap();
    fs::copy(crate::support::path(), &alone).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = place.command(&alone);
        command.arg("--json").args(arguments).env("PATH", nowhere);
        let finished = Process::spawn(&mut command).finish(SOON);
        (code(&finished), parse(&finished.stdout))
    };
    for arguments in [&["download", "serve"][..], &["download", "get", "file:///f", "f"]] {
        let (code, answer) = run(arguments);
        let error = &answer["error"];
        assert_eq!((code, &error["kind"]), (1, &json!("no-program")), "{answer}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("zccache-download-daemon") && message.contains("nowhere"), "{message}");
        assert!(error["fix"].as_str().unwrap().contains("install zccache-download-daemon"), "{answer}");
    }
    assert_eq!(run(&["download", "status"]).0, 3);
    let _daemon = serve(place, &[]);
    assert_eq!(run(&["download", "status"]).0, 0);
    fs::write(place.dir().join("a"), "a").unwrap();
    let url = format!("file://{}", place.dir().join("a").display());
    assert_eq!(run(&["download", "get", &url, "b"]).0, 0);
}

#[test]
fn progress_is_for_terminals_and_quiet_is_quiet() {
    let _watchdog = watchdog(2 * SOON);
    let (place, server) = (Place::new(), server());
    let place = &place.0;
    let _daemon = serve(place, &[]);
    let loud = run(place, &["download", "get", &server.url("/f"), "f"]);
    assert_eq!((code(&loud), loud.stderr.as_str()), (0, ""));
    assert!(loud.stdout.ends_with("is there (256.0 KiB)\n"), "{}", loud.stdout);
    let quiet = run(place, &["download", "get", "--quiet", "--force", &server.url("/f"), "f"]);
    assert_eq!((code(&quiet), quiet.stdout.as_str(), quiet.stderr.as_str()), (0, "", ""));
}
