//! `start`: with a shell script in the place of the daemon.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use testkit::{Process, TempEndpoint, eventually, watchdog};

use crate::daemon::{Daemon, Manner, locations};
use crate::support::{self, SOON, code, parse, program};

/// A program of that name which runs `script`.
fn script(place: &TempEndpoint, name: &str, script: &str) -> PathBuf {
    let path = place.dir().join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("the place takes files");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("the file is ours");
    path
}

/// A copy of the program, so that no daemon is beside it.
fn alone(place: &TempEndpoint) -> PathBuf {
    let alone = place.home().join("zccache-ipc");
    fs::copy(support::path(), &alone).expect("the program can be copied");
    alone
}

/// Ends the script that wrote its process id.
#[track_caller]
fn end(place: &TempEndpoint) {
    let mut pid = String::new();
    eventually(SOON, "the script says who it is", || {
        pid = fs::read_to_string(place.dir().join("pid")).unwrap_or_default();
        pid.ends_with('\n')
    });
    let ended = std::process::Command::new("/bin/kill").arg(pid.trim()).status();
    assert!(ended.is_ok_and(|status| status.success()), "process {pid} is there to be ended");
}

#[test]
fn a_daemon_that_answers_already_is_left_alone() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let _daemon = Daemon::start(&place, Manner::Good);
    // There is nothing that could be started.
    let (code, said) = support::json(&place, &["start", "--daemon-binary", "/nonexistent"]);
    assert_eq!((code, said["result"].as_str()), (0, Some("already-running")));
    assert_eq!(said["pid"].as_u64(), Some(std::process::id().into()));
}

#[test]
fn a_daemon_that_ends_early_is_shown_with_the_end_of_its_log() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let log = r#"while [ "$1" != --log-file ]; do shift; done"#;
    script(&place, "early", &format!("{log}; echo 'no room left' >> \"$2\"; exit 3"));
    let (code, error) = support::json(&place, &["start", "--daemon-binary", "early"]);
    assert_eq!((code, error["error"]["kind"].as_str()), (1, Some("start-failed")), "{error}");
    assert!(error["error"]["message"].as_str().unwrap().contains("exit status: 3"), "{error}");
    let cause = error["error"]["causes"][0].as_str().unwrap();
    assert!(cause.contains("daemon-spawn.log ends with:\nno room left"), "{cause}");
}

#[test]
fn a_daemon_that_never_answers_is_reported_after_the_limit() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    script(&place, "late", r#"echo $$ > "${0%/*}/pid"; exec /bin/sleep 20"#);
    let named = place.dir().join("late");
    let named = named.to_str().unwrap();
    let (code, error) = support::json(&place, &["--timeout", "0.3", "start", "--daemon-binary", named]);
    assert_eq!((code, error["error"]["kind"].as_str()), (4, Some("timeout")), "{error}");
    assert!(error["error"]["message"].as_str().unwrap().contains("does not answer"), "{error}");
    end(&place);
}

#[test]
fn a_program_that_is_nowhere_is_named_with_where_it_was_looked_for() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let mut command = place.command(alone(&place));
    command.args(["--json", "start"]).env("PATH", "/nowhere/bin:relative");
    let finished = Process::spawn(&mut command).finish(SOON);
    let error = parse(&finished.stdout);
    assert_eq!((code(&finished), error["error"]["kind"].as_str()), (1, Some("no-program")), "{error}");
    let message = error["error"]["message"].as_str().unwrap();
    assert!(message.contains("/nowhere/bin") && !message.contains("relative"), "{message}");
}

#[test]
fn the_daemon_gets_absolute_paths_and_the_listed_environment_only() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let path = script(
        &place,
        "zccache-daemon",
        r#"dir="${0%/*}"; printf '%s\n' "$@" > "$dir/args"; /usr/bin/env > "$dir/env"; pwd > "$dir/cwd"
        echo $$ > "$dir/pid"; exec /bin/sleep 20"#,
    );
    let mut command = place.command(alone(&place));
    command.args(["--json", "--cache-dir", "cache", "start", "--log-file", "l.log"]);
    command.args(["--", "--idle-timeout", "7"]);
    command.env("PATH", path.parent().unwrap()).env("SECRET", "1").env("USER", "alice");
    command.env("ZCCACHE_ENDPOINT", "/not/this");
    let mut starting = Process::spawn(&mut command);
    eventually(SOON, "the daemon is started", || place.dir().join("pid").exists());
    // It is this test that answers for it.
    let _daemon = Daemon::start(&place, Manner::Good);
    assert!(starting.wait_exit(SOON).success(), "{starting}");
    assert_eq!(parse(&starting.stdout())["endpoint"], locations(&place).endpoint().as_str());

    end(&place);

    let read = |name: &str| fs::read_to_string(place.dir().join(name)).unwrap();
    let log = place.dir().join("l.log");
    assert_eq!(
        read("args").lines().collect::<Vec<_>>(),
        [
            "--foreground",
            "--detached",
            "--endpoint",
            locations(&place).endpoint().as_str(),
            "--log-file",
            log.to_str().unwrap(),
            "--idle-timeout",
            "7",
        ]
    );
    assert_eq!(read("cwd"), "/\n");
    let env = read("env");
    // The shell adds some of its own.
    let mut names: Vec<_> =
        env.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    names.retain(|name| !matches!(*name, "PWD" | "OLDPWD" | "SHLVL" | "_"));
    names.sort_unstable();
    assert_eq!(names, ["HOME", "PATH", "TMPDIR", "USER", "XDG_RUNTIME_DIR", "ZCCACHE_CACHE_DIR"]);
}

#[test]
fn output_that_is_captured_ends_although_the_daemon_lives() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let path = script(&place, "d", r#"echo $$ > "${0%/*}/pid"; exec /bin/sleep 20"#);
    let mut command =
        program(&place, &["--timeout", "0.3", "start", "--daemon-binary", path.to_str().unwrap()]);
    let start = std::time::Instant::now();
    // Reads both streams to their ends.
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert!(start.elapsed() < Duration::from_secs(10), "the pipes ended with the program");
    end(&place);
}

#[test]
fn a_runtime_directory_that_another_user_can_change_is_refused() {
    let daemon = testkit::program("zccache-daemon");
    let _watchdog = watchdog(2 * SOON);
    let place = TempEndpoint::new();
    let check = |runtime: &std::path::Path, expected: &str| {
        let daemon = daemon.to_str().unwrap();
        let mut command = program(&place, &["start", "--daemon-binary", daemon]);
        command.env_remove("ZCCACHE_CACHE_DIR").env("XDG_RUNTIME_DIR", runtime);
        let finished = Process::spawn(&mut command).finish(SOON);
        assert!(!finished.status.success(), "{finished:?}");
        assert!(finished.stderr.contains(expected), "{expected}: {finished:?}");
        assert!(!runtime.join("zccache/sock").exists(), "{finished:?}");
    };
    let make = |name: &str, mode: u32| {
        let path = place.dir().join(name);
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    };
    check(&make("open", 0o777), "has mode 0777 and is writable by others");
    check(&make("sticky", 0o1777), "has mode 1777 and is writable by others");
    std::os::unix::fs::symlink(make("real", 0o700), place.dir().join("link")).unwrap();
    check(&place.dir().join("link"), "is a symbolic link");
    let above = make("above", 0o777);
    fs::create_dir(above.join("mine")).unwrap();
    fs::set_permissions(above.join("mine"), fs::Permissions::from_mode(0o700)).unwrap();
    check(&above.join("mine"), "has mode 0777 and is writable by others");
    let theirs = make("theirs", 0o700);
    // Only root can give a directory away.
    if std::os::unix::fs::chown(&theirs, Some(12345), None).is_ok() {
        check(&theirs, "belongs to user 12345");
    }
}
