//! By which way the daemon is reached, and that a bad broker delays nobody's end.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::{Finished, Process, TempEndpoint, watchdog};
use zccache_ipc::rp_broker::lane::shared_broker_endpoint;

use crate::daemon::{Daemon, Manner, locations};
use crate::support::{SOON, code, parse, program};

/// Where the broker of the user of `place` listens; its directory is made.
fn broker_of(place: &TempEndpoint) -> PathBuf {
    let directory = place.runtime_dir().join("running-process/broker");
    fs::create_dir_all(&directory).unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).unwrap();
    let usual = shared_broker_endpoint().unwrap();
    directory.join(PathBuf::from(usual.as_str()).file_name().unwrap())
}

fn run(place: &TempEndpoint, variables: &[(&str, &str)], arguments: &[&str]) -> Finished {
    let mut command = program(place, arguments);
    Process::spawn(command.envs(variables.iter().copied())).finish(SOON)
}

fn status(place: &TempEndpoint, variables: &[(&str, &str)], arguments: &[&str]) -> Value {
    let finished = run(place, variables, &[&["--json", "broker", "status"], arguments].concat());
    assert_eq!((code(&finished), &*finished.stderr), (0, ""), "{finished:?}");
    parse(&finished.stdout)
}

const ASKED: (&str, &str) = ("ZCCACHE_BROKER_CONNECT", "1");

#[test]
fn the_way_and_its_reason_follow_from_the_environment() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let check = |variables: &[(&str, &str)], route: &str, why: Option<&str>| {
        let said = status(&place, variables, &[]);
        assert_eq!((said["route"].as_str(), said["why"].as_str()), (Some(route), why), "{said}");
        assert_eq!(said["refusal"], Value::Null);
        said
    };
    let off = check(&[], "direct", Some("not-asked"));
    assert!(off["endpoint"].as_str().unwrap().ends_with("daemon.sock"), "{off}");
    check(&[ASKED, ("RUNNING_PROCESS_DISABLE", "1")], "direct", Some("disabled"));
    let absent = check(&[ASKED], "direct", Some("absent"));
    assert_eq!(absent["broker"].as_str(), broker_of(&place).to_str());
    // What is no decision of ours is one of running-process's: it takes this for a mistake.
    check(&[ASKED, ("RUNNING_PROCESS_DISABLE", "0")], "direct", Some("disable-value"));
    let nowhere = place.dir().join("nowhere");
    let fake = ("RUNNING_PROCESS_FAKE_BACKEND", nowhere.to_str().unwrap());
    check(&[ASKED, fake], "direct", Some("fake-backend-failed"));
    let _backend = UnixListener::bind(&nowhere).unwrap();
    let faked = check(&[ASKED, fake], "fake-backend", None);
    assert_eq!(faked["endpoint"].as_str(), nowhere.to_str());

    let finished = run(&place, &[ASKED], &["broker", "status"]);
    let lines: Vec<&str> = finished.stdout.lines().collect();
    assert!(lines[0].starts_with("route") && lines[0].ends_with("direct"), "{finished:?}");
    assert!(lines[1].starts_with("why") && lines[1].contains("no broker listens: "), "{finished:?}");
}

#[test]
fn a_silent_broker_delays_neither_the_answer_nor_the_end_of_the_process() {
    let _watchdog = watchdog(SOON * 2);
    let place = TempEndpoint::new();
    let silent = UnixListener::bind(broker_of(&place)).unwrap();
    let holding = std::thread::spawn(move || {
        let mut asked = 0;
        while let Ok((mut stream, _)) = silent.accept() {
            asked += 1;
            // The process has ended when its thread's connection has.
            let _ = stream.read_to_end(&mut Vec::new());
            if asked == 2 {
                break;
            }
        }
        asked
    });
    let _daemon = Daemon::start(&place, Manner::Good);
    for verb in [&["--json", "ping"][..], &["--json", "broker", "status"]] {
        let begin = Instant::now();
        let finished = run(&place, &[ASKED], verb);
        let took = begin.elapsed();
        assert_eq!((code(&finished), &*finished.stderr), (0, ""), "{finished:?}");
        let said = parse(&finished.stdout);
        if verb.contains(&"status") {
            assert_eq!(said["why"], "silent", "{said}");
        } else {
            assert_eq!(said["endpoint"], locations(&place).endpoint().as_str());
        }
        assert!(took < Duration::from_secs(10), "{verb:?} took {took:?}");
    }
    assert_eq!(holding.join().unwrap(), 2, "both asked the broker");
}

/// A field of a protobuf message that is at most 127 bytes long.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat()
}

/// A broker of the user of `place` that answers each question with the `HelloReply` in `reply`.
fn answering(place: &TempEndpoint, reply: Vec<u8>) {
    // Envelope 1, a response, to the question with the id 1.
    let frame = [&[0x08, 1, 0x10, 1][..], &field(4, &reply), &[0x28, 1]].concat();
    let broker = UnixListener::bind(broker_of(place)).unwrap();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = broker.accept() {
            let mut head = [0; 5];
            stream.read_exact(&mut head).unwrap();
            let len = u32::from_le_bytes(head[1..].try_into().unwrap());
            stream.read_exact(&mut vec![0; len as usize]).unwrap();
            let answer = [&[1], &u32::try_from(frame.len()).unwrap().to_le_bytes()[..], &frame].concat();
            stream.write_all(&answer).unwrap();
        }
    });
}

#[test]
fn each_refusal_is_shown_with_its_kind_the_reason_and_when_to_ask_again() {
    let _watchdog = watchdog(SOON * 2);
    let kinds = [
        ("unspecified", false),
        ("version-unsupported", false),
        ("service-unknown", false),
        ("backend-spawn-failed", true),
        ("rate-limited", true),
        ("shutting-down", true),
        ("peer-rejected", false),
        ("internal", true),
        ("version-blocked", false),
        ("fd-pressure", true),
    ];
    for (code_number, (kind, transient)) in (0..).zip(kinds) {
        let place = TempEndpoint::new();
        // The code, and 100 ms.
        let refused = [&field(1, b"not now")[..], &[0x20, code_number, 0x30, 100]].concat();
        answering(&place, field(2, &refused));
        let said = status(&place, &[], &["--ask"]);
        assert_eq!((said["route"].as_str(), said["why"].as_str()), (Some("direct"), Some("refused")));
        let expected = serde_json::json!({
            "kind": kind, "reason": "not now", "retry_after_ms": 100, "transient": transient,
        });
        assert_eq!(said["refusal"], expected);
        let shown = run(&place, &[ASKED], &["broker", "status"]).stdout;
        assert!(
            shown.contains(&format!("the broker refused ({kind}): not now (ask again in 100 ms)")),
            "{shown}"
        );
    }
}

#[test]
fn the_daemon_that_a_broker_names_is_shown_and_called() {
    let _watchdog = watchdog(SOON);
    let (place, elsewhere) = (TempEndpoint::new(), TempEndpoint::new());
    let _daemon = Daemon::start(&elsewhere, Manner::Good);
    let backend = locations(&elsewhere).endpoint().as_str().to_owned();
    answering(
        &place,
        field(1, &[&[0x08, 1][..], &field(2, b"1.2.3"), &field(3, backend.as_bytes())].concat()),
    );
    let said = status(&place, &[ASKED], &[]);
    assert_eq!(
        (said["route"].as_str(), said["endpoint"].as_str()),
        (Some("broker-negotiated"), Some(&*backend))
    );
    assert_eq!((&said["daemon_version"], &said["why"]), (&"1.2.3".into(), &Value::Null));
    let pinged = run(&place, &[ASKED], &["--json", "ping"]);
    assert_eq!(code(&pinged), 0, "nobody listens at the endpoint of its own: {pinged:?}");
    assert_eq!(code(&run(&place, &[], &["--json", "ping"])), 3);
}
