//! Advice, messages and help as a person reads them.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use serde_json::json;
use testkit::{Gate, Process, TempEndpoint, WebAnswer, WebServer, eventually, watchdog};

use crate::daemon::{Daemon, Manner};
use crate::support::{self, SOON, code, program, run};

#[test]
fn every_advice_repeats_the_options_that_choose_the_daemon() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let (_, said) = support::json(&place, &["--cache-dir", "other", "--wire", "v15", "doctor"]);
    let findings = said["findings"].as_array().expect("a list").iter();
    let fixes: Vec<&str> = findings.filter_map(|finding| finding["fix"].as_str()).collect();
    let named: Vec<&&str> = fixes.iter().filter(|fix| fix.contains("zccache-ipc ")).collect();
    assert!(!named.is_empty(), "{fixes:?}");
    for fix in named {
        assert!(fix.contains("zccache-ipc --cache-dir other --wire v15 "), "{fix}");
    }
    for verb in ["ping", "status"] {
        let (_, error) = support::json(&place, &["--cache-dir", "other", "--wire", "v15", verb]);
        let fix = error["error"]["fix"].as_str().expect("it has one");
        // No option that the verb was not given: the cache directory leads to the endpoint.
        assert_eq!(fix, "start one: zccache-ipc --cache-dir other --wire v15 start");
    }
}

#[test]
fn a_silent_daemon_is_reported_with_a_rounded_time_and_where_to_look() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let _daemon = Daemon::start(&place, Manner::Silent);
    let (_, error) = support::json(&place, &["--cache-dir", place.cache_dir().to_str().unwrap(), "ping"]);
    let text = error.to_string();
    let time = text.split("within ").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    assert!(time.ends_with("0ms") && time.len() == 5, "{text}");
    let fix = error["error"]["fix"].as_str().expect("it has one");
    assert!(fix.contains("zccache-ipc --cache-dir ") && fix.contains(" doctor"), "{fix}");
}

/// Serves a file of 64 KiB, whose second half waits for the gate.
fn half_a_file() -> (WebServer, Gate) {
    let gate = Gate::default();
    let (bytes, of_server) = (vec![7; 64 << 10], gate.clone());
    let server = WebServer::start(move |request| {
        WebAnswer::file(request, &bytes, "1").hold_after(32 << 10, &of_server)
    });
    (server, gate)
}

#[test]
fn a_download_that_is_late_says_how_far_it_came() {
    let _built = testkit::program("zccache-download-daemon");
    let _watchdog = watchdog(3 * SOON);
    let place = TempEndpoint::new();
    let (server, gate) = half_a_file();
    let (exit, error) = support::json(&place, &["download", "status"]);
    let fix = error["error"]["fix"].as_str().expect("it has one");
    assert!(exit == 3 && fix.ends_with(" download get URL DEST` starts one"), "{error}");

    let url = server.url("/f");
    let late = support::json(&place, &["--timeout", "2", "download", "get", &url, "f"]).1;
    let message = late["error"]["message"].as_str().expect("it has one");
    assert!(message.ends_with("f is not complete after 2s: 32.0 KiB of 64.0 KiB are there"), "{late}");
    assert!(
        late["error"]["fix"].as_str().is_some_and(|fix| fix.contains("goes on from these bytes")),
        "{late}"
    );
    gate.open();
    assert_eq!(code(&run(&place, &["download", "stop"])), 0);
}

#[test]
fn a_download_works_with_a_cache_directory_of_any_length() {
    let _built = testkit::program("zccache-download-daemon");
    let _watchdog = watchdog(3 * SOON);
    let place = TempEndpoint::new();
    let long = place.dir().join("c".repeat(120));
    let long = long.to_str().unwrap();
    fs::write(place.dir().join("from"), "text").unwrap();
    let url = format!("file://{}", place.dir().join("from").display());
    let names = run(&place, &["--cache-dir", long, "endpoint"]).stdout;
    let name = names.lines().find_map(|line| line.strip_prefix("download_endpoint")).expect("it is listed");
    let socket = name.split_whitespace().next().expect("it has a value");
    assert!(socket.starts_with("/tmp/zccache-") && socket.ends_with("-download-daemon.sock"), "{names}");
    let got = run(&place, &["--cache-dir", long, "download", "get", &url, "to"]);
    let stopped = run(&place, &["--cache-dir", long, "download", "stop"]);
    // Its lock is beside the socket, outside of the place of this test.
    fs::remove_file(format!("{socket}.lifetime")).expect("the daemon left it");
    assert_eq!((code(&got), code(&stopped)), (0, 0), "{got:?} {stopped:?}");
    assert_eq!(fs::read_to_string(place.dir().join("to")).unwrap(), "text");
}

#[test]
fn help_lists_the_verbs_options_before_the_global_ones() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let check = |verb: &[&str], own: &str| {
        let help = run(&place, &[verb, &["--help"]].concat()).stdout;
        let at = |text: &str| help.find(text).unwrap_or_else(|| panic!("{text}: {help}"));
        let places =
            [own, "\nConnection options:", " --endpoint <E>", " --wire <", "\nOutput options:", " --json"]
                .map(at);
        assert!(places.is_sorted(), "{help}");
    };
    check(&["start"], "--daemon-binary");
    check(&["session", "start"], "--journal");
    check(&["download", "get"], "--force");
    check(&["store", "list"], "--sort");
}

#[test]
fn a_notice_of_wrap_is_one_write() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    // Each write to a datagram socket is a datagram.
    let (ours, theirs) = UnixDatagram::pair().unwrap();
    let mut command = program(&place, &["wrap", "--no-start", "--", "/bin/true"]);
    command.env("ZCCACHE_WRAP_MODE", "unknown").stderr(std::os::fd::OwnedFd::from(theirs));
    let status = command.status().unwrap();
    drop(command);
    ours.set_read_timeout(Some(SOON)).unwrap();
    let mut notice = [0; 1024];
    let length = ours.recv(&mut notice).unwrap();
    let notice = std::str::from_utf8(&notice[..length]).unwrap();
    assert!(status.success());
    assert!(
        notice.starts_with("zccache-ipc: ZCCACHE_WRAP_MODE is \"unknown\"") && notice.ends_with('\n'),
        "{notice}"
    );
}

#[test]
fn an_unknown_session_warns_once_and_its_compilations_are_cached() {
    let _watchdog = watchdog(2 * SOON);
    let place = crate::wrap_place::Place::new();
    place.write("a.c", "int f(void) { return 1; }\n");
    let line = "export ZCCACHE_SESSION_ID=00000000-0000-4000-8000-000000000000; \
        for i in 1 2 3; do \"$W\" gcc -c a.c || exit 1; done";
    let (exit, said) = place.sh(line);
    assert!(exit == 0 && said.lines().count() == 1 && said.contains("unknown session"), "{said}");
    assert_eq!(place.hits(), 2);
}

#[test]
fn a_signal_leaves_a_line_end_behind_a_progress_bar() {
    use rustix::process::{Pid, Signal, kill_process};
    let _built = testkit::program("zccache-download-daemon");
    let _watchdog = watchdog(3 * SOON);
    let place = TempEndpoint::new();
    let (server, gate) = half_a_file();
    let (terminal, theirs) = crate::terminal::open(80);
    let mut command = program(&place, &["download", "get", &server.url("/f"), "f"]);
    let mut client = command.stderr(theirs).spawn().unwrap();
    drop(command);
    let mut shown = String::new();
    eventually(SOON, "the bar shows half of the file", || {
        shown.push_str(&terminal.read(Duration::from_millis(20)));
        shown.contains("32.0 KiB/64.0 KiB")
    });
    let pid = Pid::from_raw(i32::try_from(client.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let status = client.wait().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(2));
    shown.push_str(&terminal.read(Duration::from_millis(200)));
    assert!(shown.ends_with('\n'), "{shown:?}");
    gate.open();
    assert_eq!(support::json(&place, &["download", "stop"]).1["result"], json!("stopped"));
}

#[test]
fn a_compilation_in_the_daemon_shows_its_progress_on_a_terminal_only() {
    let _watchdog = watchdog(2 * SOON);
    let place = TempEndpoint::new();
    let ready = place.dir().join("ready");
    let compiler = place.dir().join("cc.sh");
    fs::write(&compiler, format!("#!/bin/sh\nwhile [ ! -e {} ]; do sleep 0.02; done\n", ready.display()))
        .unwrap();
    fs::set_permissions(&compiler, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut start = program(&place, &["start"]);
    start.env("ZCCACHE_COMPILE_PROGRESS_INTERVAL_MS", "20");
    assert_eq!(code(&Process::spawn(&mut start).finish(SOON)), 0);
    let request = json!({ "variant": "CompileEphemeral", "version": 24, "message": {
        "client_pid": 1, "working_dir": place.dir(), "compiler": compiler, "args": ["-c", "a.c"],
        "cwd": place.dir(), "env": null, "stdin": { "$hex": "" },
    } })
    .to_string();
    let (terminal, theirs) = crate::terminal::open(80);
    let mut command = program(&place, &["request", &request]);
    let child = command.stdout(std::process::Stdio::piped()).stderr(theirs).spawn().unwrap();
    drop(command);
    let mut shown = String::new();
    eventually(SOON, "the progress is shown", || {
        shown.push_str(&terminal.read(Duration::from_millis(20)));
        shown.contains("zccache-ipc: the daemon compiles; 1 running")
    });
    fs::write(&ready, "").unwrap();
    let ended = child.wait_with_output().unwrap();
    shown.push_str(&terminal.read(Duration::from_millis(50)));
    // One line, written over by spaces at the end.
    assert!(!shown.contains('\n') && shown.ends_with(" \r"), "{shown:?}");
    assert!(String::from_utf8(ended.stdout).unwrap().contains("CompileResult"));
    // Nobody watches a pipe.
    assert_eq!(run(&place, &["request", &request]).stderr, "");
    assert_eq!(code(&run(&place, &["stop"])), 0);
}

#[test]
fn doctor_and_errors_have_colours_on_a_terminal_only() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let on_terminal = |arguments: &[&str], no_color: bool| {
        let (terminal, theirs) = crate::terminal::open(80);
        let mut command = program(&place, arguments);
        command.stdout(theirs.try_clone().unwrap()).stderr(theirs).env("TERM", "xterm");
        if no_color {
            command.env("NO_COLOR", "1");
        }
        let mut child = command.spawn().unwrap();
        drop(command);
        let mut text = String::new();
        while child.try_wait().unwrap().is_none() {
            text.push_str(&terminal.read(Duration::from_millis(20)));
        }
        text.push_str(&terminal.read(Duration::from_millis(50)));
        text
    };
    for arguments in [&["doctor"][..], &["ping"]] {
        assert!(on_terminal(arguments, false).contains("\u{1b}["), "{arguments:?}");
        assert!(!on_terminal(arguments, true).contains("\u{1b}["), "{arguments:?}");
        let piped = Process::spawn(&mut program(&place, arguments)).finish(SOON);
        assert!(!(piped.stdout + &piped.stderr).contains('\u{1b}'), "{arguments:?}");
    }
    // Eighty columns are enough for every line without a long path.
    let doctor = on_terminal(&["doctor"], true);
    for line in doctor.lines().filter(|line| !line.contains('/')) {
        assert!(line.trim_end().chars().count() <= 80, "{line}");
    }
}

#[test]
fn an_invalid_number_is_refused_with_a_plain_message() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    for (arguments, expected) in [
        (&["store", "list", "--limit", "x"][..], "not a whole number"),
        (&["download", "get", "u", "f", "--connections", "0"], "not a whole number above 0"),
        (&["download", "serve", "--idle-timeout", "1.5"], "not a whole number"),
    ] {
        let outcome = run(&place, arguments);
        assert_eq!(code(&outcome), 2, "{arguments:?}");
        assert!(outcome.stderr.contains(expected), "{arguments:?}: {}", outcome.stderr);
    }
}

#[test]
fn the_empty_key_is_refused_by_every_verb_that_takes_a_key() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    for arguments in [
        &["lookup", "", "-o", "f"][..],
        &["store", "show", ""],
        &["store", "rm", "k", ""],
        &["store", "", "f"],
    ] {
        let (code, error) = support::json(&place, arguments);
        assert_eq!((code, &error["error"]["kind"]), (2, &json!("usage")), "{arguments:?}: {error}");
    }
}
