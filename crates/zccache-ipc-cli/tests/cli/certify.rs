//! `certify` against implementations with known faults.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;

use serde_json::Value;
use testkit::{TempEndpoint, watchdog};

use crate::daemon::{Daemon, Manner, locations};
use crate::support::{SOON, code, json, path, run};

/// Returns the names of the rules with the result `result`.
fn rules(said: &Value, result: &str) -> Vec<String> {
    let rules = said["rules"].as_array().unwrap().iter().filter(|rule| rule["result"] == result);
    rules.map(|rule| rule["rule"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_server_of_the_library_keeps_every_required_rule() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let _daemon = Daemon::start(&place, Manner::Good);
    let (exit, said) = json(&place, &["--endpoint", locations(&place).endpoint().as_str(), "certify"]);
    assert_eq!((exit, rules(&said, "failed")), (0, Vec::new()), "{said}");
    // The limit of keys belongs to the service, and this one has none.
    let differs = rules(&said, "differs");
    assert!(differs.iter().all(|rule| rule.contains("1025 bytes")), "{differs:?}");
    assert_eq!(said["served"].as_array().unwrap().len(), 8, "{said}");
    let (stores, waits): (Vec<_>, Vec<_>) =
        rules(&said, "not applicable").into_iter().partition(|rule| rule.contains("a stored artifact"));
    assert_eq!((stores.len(), waits.len()), (8, 9), "without --changes and --deadlines");
}

#[test]
fn the_deadlines_of_a_server_are_tested_on_request() {
    let _watchdog = watchdog(2 * SOON);
    let place = TempEndpoint::new();
    let _daemon = Daemon::start(&place, Manner::ShortDeadlines);
    let endpoint = locations(&place).endpoint().as_str().to_owned();
    let (_, said) = json(&place, &["--endpoint", &endpoint, "certify", "--deadlines"]);
    assert_eq!(rules(&said, "not applicable").len(), 8, "{said}");
    let passed = rules(&said, "passed");
    assert!(passed.iter().any(|rule| rule == "a connection without a byte is closed within 30 s"), "{said}");
    assert_eq!(passed.iter().filter(|rule| rule.contains("a frame that does not end")).count(), 8, "{said}");
}

#[test]
fn an_implementation_that_breaks_rules_fails_them() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let listener = UnixListener::bind(place.socket()).unwrap();
    // An echo is a valid reply to `Ping` on v15 and v16, and to nothing else. It ends with the test.
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let (mut stream, mut buffer) = (stream, vec![0; 65536]);
                while let Ok(read @ 1..) = stream.read(&mut buffer) {
                    if stream.write_all(&buffer[..read]).is_err() {
                        return;
                    }
                }
            });
        }
    });
    let (exit, said) = json(&place, &["--timeout", "0.1", "--endpoint", &place.name(), "certify"]);
    assert_eq!(exit, 1);
    let failed = rules(&said, "failed");
    for rule in [
        "v15: Lookup of an unknown key is a miss",
        "v16: a request without a member is answered, and the connection stays open",
        "v99: the refusal has the released text, and the daemon closes",
        "bincode: a stream that ends inside of a frame is closed without a reply",
        "an HTTP request is not served",
    ] {
        assert!(failed.iter().any(|name| name == rule), "{rule} is not among {failed:?}");
    }
    let passed = rules(&said, "passed");
    assert!(passed.iter().any(|name| name == "v15: a request may arrive byte by byte"), "{passed:?}");
}

#[test]
fn without_a_daemon_there_is_nothing_to_certify() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let finished = run(&place, &["--endpoint", &place.name(), "certify"]);
    assert_eq!(code(&finished), 3, "{finished:?}");
}

#[test]
fn our_client_keeps_every_rule_and_a_client_of_one_wire_does_not_fall_back() {
    let _watchdog = watchdog(SOON * 4);
    let place = TempEndpoint::new();
    let program = path();
    let client = |wire: &str| {
        let listen = place.dir().join(format!("{wire}.sock"));
        let (listen, program) = (listen.to_str().unwrap(), program.to_str().unwrap());
        let command = ["--", program, "--endpoint", listen, "--wire", wire, "ping"];
        json(&place, &[&["certify", "--listen", listen][..], &command].concat())
    };
    let (exit, said) = client("auto");
    assert_eq!((exit, &said["passed"]), (0, &Value::from(10)), "{said}");
    let (exit, said) = client("v16");
    let differs =
        ["a daemon of 1.11.21: falls back to number 15", "a daemon of 1.12.10: finds number 17 or FrameV1"];
    assert_eq!((exit, rules(&said, "differs")), (0, differs.map(str::to_owned).to_vec()), "{said}");
}

#[test]
fn a_client_that_fails_where_it_must_succeed_is_found() {
    let _watchdog = watchdog(SOON * 4);
    let place = TempEndpoint::new();
    let listen = place.name();
    let (exit, said) = json(&place, &["certify", "--listen", &listen, "--", "/bin/sh", "-c", "exit 1"]);
    assert_eq!(exit, 1, "{said}");
    assert_eq!(said["rules"][0]["came"], "it did not connect");
}
