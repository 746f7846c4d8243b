//! `tap` between real clients and a daemon.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use testkit::{Process, TempEndpoint, eventually, watchdog};
use tokio::io::AsyncReadExt as _;
use zccache_ipc::endpoint::{Claim, DirPolicy, Endpoint};

use crate::daemon::{Daemon, Manner, locations};
use crate::support::{SOON, code, parse, program, run};

const PING: &str = "080000000f00000000000000";

/// A tap before the daemon at a place.
struct Tap {
    process: Process,
    socket: PathBuf,
}

impl Tap {
    /// Starts a tap before `endpoint`, and returns when it listens.
    fn start(place: &TempEndpoint, endpoint: &str, options: &[&str]) -> Self {
        let socket = place.dir().join("t.sock");
        let listen = socket.to_str().unwrap();
        let arguments = [&["--endpoint", endpoint, "tap", "--listen", listen], options].concat();
        let process = Process::spawn(&mut program(place, &arguments));
        eventually(SOON, "the tap listens", || UnixStream::connect(&socket).is_ok());
        Self { process, socket }
    }

    fn connect(&self) -> UnixStream {
        UnixStream::connect(&self.socket).unwrap()
    }

    /// Interrupts the tap and returns the lines that it printed.
    fn stop(self) -> Vec<String> {
        let interrupt = format!("kill -INT {}", self.process.id());
        assert!(Command::new("sh").args(["-c", &interrupt]).status().unwrap().success());
        let finished = self.process.finish(SOON);
        assert_eq!((code(&finished), finished.stderr.as_str()), (0, ""));
        finished.stdout.lines().map(str::to_owned).collect()
    }
}

/// Returns the events of one kind of word, as `field field …` of each.
fn events(lines: &[String], fields: &[&str]) -> Vec<String> {
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let line = |line: &String| {
        let value = parse(line);
        fields.iter().map(|field| word(&value[field])).collect::<Vec<_>>().join(" ")
    };
    lines.iter().map(line).collect()
}

#[test]
fn every_wire_passes_unchanged_and_is_decoded() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let _daemon = Daemon::start(&place, Manner::Good);
    let tap = Tap::start(&place, locations(&place).endpoint().as_str(), &["--json"]);
    for wire in ["v15", "v16", "frame"] {
        let endpoint = tap.socket.to_str().unwrap();
        let finished = run(&place, &["--endpoint", endpoint, "--wire", wire, "ping"]);
        assert_eq!(code(&finished), 0, "{finished:?} {}", tap.process.stdout());
    }
    let lines = tap.stop();
    let messages = events(&lines, &["event", "from", "lane", "variant", "answers"]);
    let messages: Vec<_> = messages.iter().filter(|line| line.starts_with("message")).collect();
    let expected =
        |lane: &str| [format!("message client {lane} Ping null"), format!("message daemon {lane} Pong Ping")];
    let expected = ["v15", "v16", "frame_v1"].map(expected).concat();
    assert_eq!(messages, expected.iter().collect::<Vec<_>>());
}

#[test]
fn the_end_of_one_direction_is_passed_on_and_the_reply_still_arrives() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    // A daemon that replies only after the client has shut down its sending side.
    let listener = UnixListener::bind(place.socket()).unwrap();
    let daemon = std::thread::spawn(move || {
        let accept = || loop {
            // The connection that saw the tap listen carries no byte.
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = Vec::new();
            stream.read_to_end(&mut asked).unwrap();
            if !asked.is_empty() {
                return (stream, asked);
            }
        };
        let (mut stream, asked) = accept();
        stream.write_all(&asked).unwrap();
        let mut more = [0];
        assert_eq!(stream.read(&mut more).unwrap(), 0);
    });
    let tap = Tap::start(&place, &place.name(), &["--json", "--raw"]);
    let mut client = tap.connect();
    let sent = [hex::decode(PING).unwrap(), b"\xff\xff\xff\xff no frame \x00".to_vec()].concat();
    client.write_all(&sent).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut received = Vec::new();
    client.read_to_end(&mut received).unwrap();
    assert_eq!(received, sent);
    daemon.join().unwrap();
    let lines = tap.stop();
    let all = events(&lines, &["event", "from", "hex"]);
    let garbage = hex::encode(&sent[12..]);
    for from in ["client", "daemon"] {
        assert!(all.contains(&format!("message {from} {PING}")), "{all:?}");
        assert!(all.contains(&format!("lost {from} {garbage}")), "{all:?}");
        assert!(all.contains(&format!("finished {from} null")), "{all:?}");
    }
}

#[test]
fn a_client_that_closes_closes_the_connection_to_a_daemon_that_still_works() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listen = async {
        let lock_file = place.dir().join("daemon.lock");
        let mut claim = Claim::take(&Endpoint::new(place.name()), &lock_file, DirPolicy::Shared).unwrap();
        (claim.bind().unwrap(), claim)
    };
    let (listener, _claim) = runtime.block_on(listen);
    let tap = Tap::start(&place, &place.name(), &[]);
    runtime.block_on(listener.accept()).unwrap(); // it saw the tap listen
    let mut client = tap.connect();
    client.write_all(&hex::decode(PING).unwrap()).unwrap();
    let mut daemon = runtime.block_on(listener.accept()).unwrap();
    drop(client);
    // A daemon that writes nothing cannot learn it from a failed write.
    let mut asked = Vec::new();
    runtime.block_on(daemon.read_to_end(&mut asked)).unwrap();
    assert_eq!(hex::encode(asked), PING);
    let closed = async { tokio::time::timeout(SOON / 2, daemon.hung_up()).await };
    runtime.block_on(closed).expect("the tap closes its connection");
    let lines = tap.stop();
    assert!(lines.iter().any(|line| line.contains("> client closed the connection")), "{lines:?}");
    assert!(lines.iter().any(|line| line.ends_with("ended without a reply to Ping")), "{lines:?}");
}

#[test]
fn an_interrupt_removes_the_socket_and_every_lock() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let _daemon = Daemon::start(&place, Manner::Good);
    let tap = Tap::start(&place, locations(&place).endpoint().as_str(), &[]);
    tap.stop();
    let names = fs::read_dir(place.dir()).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = names.filter(|name| name.to_str().unwrap().starts_with("t.sock")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_tap_does_not_listen_where_another_process_does() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let _daemon = Daemon::start(&place, Manner::Good);
    let taken = place.dir().join("taken.sock");
    let _listener = UnixListener::bind(&taken).unwrap();
    let file = place.dir().join("file");
    fs::write(&file, "kept").unwrap();
    for (listen, expected) in [
        (taken.to_str().unwrap(), "bad-endpoint"),
        (file.to_str().unwrap(), "bad-endpoint"),
        (place.name().as_str(), "usage"),
    ] {
        let finished = run(&place, &["--json", "--endpoint", &place.name(), "tap", "--listen", listen]);
        assert_eq!(parse(&finished.stdout)["error"]["kind"], expected, "{finished:?}");
    }
    assert_eq!(fs::read_to_string(file).unwrap(), "kept");
    assert!(UnixStream::connect(taken).is_ok());
}
