//! Tools that the daemon runs, seen from outside.

use std::env::consts::EXE_SUFFIX;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Command;
use std::time::Duration;

use testkit::{Process, TempEndpoint, eventually, watchdog};
use zccache_ipc::blocking::{Client, stop_daemon};
use zccache_ipc::daemon::{StopConfig, Stopped};
use zccache_ipc::endpoint::{
    Endpoint, Environment, InodeStamp, Locations, Pid, Platform, Variable, file_clock_ns, process_alive,
};
use zccache_ipc::model::{CompileEphemeral, CompileResult, Request, Response};
use zccache_ipc::{ClientConfig, Lane};

use super::{LIMIT, SOON, client, spawn};

/// Returns the names of the daemon at `place`.
fn locations(place: &TempEndpoint) -> Locations {
    let environment =
        Environment::new(Platform::CURRENT, place.dir().to_str().expect("temporary paths are UTF-8"))
            .with(Variable::CacheDir, place.cache_dir().to_str().expect("temporary paths are UTF-8"));
    Locations::for_client(&environment, Some(&Endpoint::new(place.name())), None)
        .expect("the names are UTF-8")
}

fn shell(place: &TempEndpoint, script: &str) -> CompileEphemeral {
    CompileEphemeral {
        client_pid: std::process::id(),
        working_dir: place.dir().into(),
        compiler: "/bin/sh".into(),
        args: vec!["-c".to_owned(), script.to_owned()],
        cwd: place.dir().into(),
        env: Some(vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())]),
        ..CompileEphemeral::default()
    }
}

#[test]
fn a_client_that_goes_away_takes_its_tool_with_it_and_a_stop_takes_all() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut daemon = spawn(&place, &[]);
    client(&place.name());
    for (pipe, by_stop) in [("one", false), ("two", true)] {
        let path = place.dir().join(pipe);
        for path in [&path, &place.dir().join(format!("{pipe}.never"))] {
            assert!(Command::new("/usr/bin/mkfifo").arg(path).status().unwrap().success());
        }
        // A tool that starts another one, and waits for what never comes.
        let script = format!("exec 3>{pipe}; echo began >&3; /bin/cat <{pipe}.never");
        let request = Request::from(shell(&place, &script));
        let limit = if by_stop { LIMIT } else { Duration::from_secs(1) };
        let name = place.name();
        let caller =
            std::thread::spawn(move || Client::new(name, ClientConfig::within(limit)).call(&request));
        let mut lines = BufReader::new(File::open(path).unwrap());
        let mut text = String::new();
        lines.read_line(&mut text).unwrap();
        let stop = by_stop.then(|| StopConfig::new(locations(&place)));
        let stop = stop.map(|config| std::thread::spawn(move || stop_daemon(&config)));
        // The pipe ends when nobody is left who could write to it.
        lines.read_to_string(&mut text).unwrap();
        assert_eq!(text, "began\n");
        assert!(caller.join().unwrap().is_err());
        // With its default timeout, which is above the time that a daemon gives its requests.
        if let Some(stop) = stop {
            let stopped = stop.join().unwrap().expect("a long request does not make a stop fail");
            assert_eq!(stopped, Stopped::Ended { pid: Pid::new(daemon.id()).ok() });
        }
    }
    assert!(daemon.wait_exit(SOON).success());
}

/// A request that runs the stand-in under `name`, which is its behaviour.
fn stand_in(place: &TempEndpoint, name: &str, args: &[&str]) -> Request {
    let program = place.dir().join(format!("{name}{EXE_SUFFIX}"));
    if !program.exists() {
        std::fs::copy(testkit::program("stand-in"), &program).expect("the place takes files");
    }
    Request::from(CompileEphemeral {
        compiler: program.into(),
        args: args.iter().map(|&arg| arg.to_owned()).collect(),
        ..shell(place, "")
    })
}

#[test]
fn what_a_tool_has_started_ends_with_the_client_and_with_the_daemon() {
    let built = testkit::program("stand-in");
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    std::fs::copy(built, place.dir().join(format!("never-answers{EXE_SUFFIX}"))).unwrap();
    let mut daemon = spawn(&place, &[]);
    let mut other = client(&place.name());
    let note = place.dir().join("pid");
    for by_stop in [false, true] {
        let request = stand_in(&place, "starts-another", &[]);
        // Wine needs seconds to start two programs on a busy machine.
        let limit = if by_stop { LIMIT } else { Duration::from_secs(if cfg!(windows) { 8 } else { 1 }) };
        let name = place.name();
        let caller =
            std::thread::spawn(move || Client::new(name, ClientConfig::within(limit)).call(&request));
        let mut pid = String::new();
        eventually(SOON, "the tool's child runs", || {
            pid = std::fs::read_to_string(&note).unwrap_or_default();
            pid.ends_with('\n')
        });
        if by_stop {
            other.shutdown().unwrap();
        }
        let pid = Pid::parse(pid.trim()).unwrap();
        eventually(SOON, "the child has ended", || !process_alive(pid));
        assert!(caller.join().unwrap().is_err());
        std::fs::remove_file(&note).expect("the child was ended and did not end by itself");
    }
    assert!(daemon.wait_exit(SOON).success());
}

#[test]
fn a_result_that_no_reply_holds_is_an_error_on_every_lane_and_the_connection_goes_on() {
    let _ = testkit::program("stand-in");
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let _daemon = spawn(&place, &[]);
    let mut client = client(&place.name());
    for lane in [Lane::V15, Lane::V16, Lane::FrameV1] {
        let flood = stand_in(&place, "floods", &["104857600"]);
        match client.call_on(Some(lane), None, &flood).unwrap().message {
            Response::Error(error) => assert!(error.message.contains("a reply holds no more"), "{error:?}"),
            other => panic!("{lane}: {:?}", other.kind()),
        }
        assert!(client.is_connected());
        // What just fits comes back whole.
        let most = 16 * 1024 * 1024 - 4096;
        let full = stand_in(&place, "floods", &[&most.to_string(), "3"]);
        match client.call_on(Some(lane), None, &full).unwrap().message {
            Response::CompileResult(CompileResult { exit_code: 3, stdout, .. }) => {
                assert_eq!(stdout.len(), most);
            }
            other => panic!("{lane}: {:?}", other.kind()),
        }
    }
    client.shutdown().unwrap();
}

#[test]
fn tools_are_not_given_the_files_that_the_daemon_was_given() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    let mut starter = place.command("/bin/sh");
    starter.args(["-c", r#"exec 7</dev/null; exec "$0" --foreground --endpoint "$1""#]);
    starter.arg(env!("CARGO_BIN_EXE_zccache-daemon")).arg(place.name());
    let _daemon = Process::spawn(&mut starter);
    let mut client = client(&place.name());
    let request = shell(&place, "for fd in 3 4 5 6 7 8 9; do [ -e /dev/fd/$fd ] && echo $fd; done; true");
    let result = client.compile_ephemeral(request).unwrap();
    assert_eq!((result.exit_code, &result.stdout[..]), (0, &b""[..]));
    client.shutdown().unwrap();
}

/// Bytes without a pattern.
fn noise_of(seed: usize, len: usize) -> Vec<u8> {
    let mut state = seed as u64 + 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33).to_le_bytes()[0]
    };
    (0..len).map(|_| next()).collect()
}

#[test]
fn a_store_that_cannot_grow_costs_hits_and_no_build() {
    let _watchdog = watchdog(LIMIT);
    let place = TempEndpoint::new();
    // No file may have more than 32 MiB: what a full disk is to the store. An object has less than a part of that.
    let mut starter = place.command("/bin/sh");
    starter.args(["-c", r#"trap '' XFSZ; ulimit -f 65536; exec "$0" --foreground --endpoint "$1""#]);
    starter.arg(env!("CARGO_BIN_EXE_zccache-daemon")).arg(place.name());
    let mut daemon = Process::spawn(&mut starter);
    let mut client = client(&place.name());
    let mut compile = |number: usize| {
        // No compression makes room for it.
        let (noise, source) = (place.dir().join("noise"), place.dir().join("a.c"));
        std::fs::write(&noise, noise_of(number, 900 << 10)).unwrap();
        std::fs::write(&source, "__asm__(\".data\\n.incbin \\\"noise\\\"\\n.text\");\n").unwrap();
        let changed = InodeStamp::of(&std::fs::metadata(&source).unwrap()).unwrap().changed_ns;
        // A file that changes in the same tick as its compilation begins may have changed after it.
        while file_clock_ns() <= changed {
            std::thread::yield_now();
        }
        let args = ["-c", "a.c", "-o", "a.o"].map(str::to_owned).to_vec();
        let request = CompileEphemeral { compiler: "/usr/bin/cc".into(), args, ..shell(&place, "") };
        let result = client.compile_ephemeral(request).unwrap();
        assert_eq!((result.exit_code, &result.stderr[..]), (0, &b""[..]), "{number}");
        assert!(std::fs::metadata(place.dir().join("a.o")).unwrap().len() > 900 << 10, "{number}");
        std::fs::remove_file(place.dir().join("a.o")).unwrap();
        result.cached
    };
    let cached: Vec<_> = (1..=40).flat_map(|number| [compile(number), compile(number)]).collect();
    assert_eq!(cached[..2], [false, true], "{cached:?}");
    assert_eq!(cached[78..], [false, false], "there is no room: {cached:?}\n{daemon}");
    assert!(daemon.stderr().contains("a compilation is not stored"), "{daemon}");
    client.shutdown().unwrap();
    assert!(daemon.wait_exit(SOON).success());
}
