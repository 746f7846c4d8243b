//! `start`: with programs that do not serve in the place of the daemon.

use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use testkit::{Process, TempEndpoint, eventually, watchdog};
use zccache_ipc::endpoint::{Pid, process_alive};

use crate::daemon::{Daemon, Manner, locations};
use crate::support::{self, SOON, code, parse, program};

/// Begins the system's text of an exit code.
const END: &str = if cfg!(windows) { "exit code" } else { "exit status" };

/// A copy of the stand-in, which behaves as its name says.
fn stand_in(place: &TempEndpoint, name: &str) -> PathBuf {
    let path = place.dir().join(format!("{name}{EXE_SUFFIX}"));
    fs::copy(testkit::program("stand-in"), &path).expect("the place takes files");
    path
}

/// A copy of the program, so that no daemon is beside it.
fn alone(place: &TempEndpoint) -> PathBuf {
    let alone = place.home().join(format!("zccache-ipc{EXE_SUFFIX}"));
    fs::copy(support::path(), &alone).expect("the program can be copied");
    alone
}

/// Ends the program that wrote its process id.
#[track_caller]
fn end(place: &TempEndpoint) {
    let mut pid = String::new();
    eventually(SOON, "the program says who it is", || {
        pid = fs::read_to_string(place.dir().join("pid")).unwrap_or_default();
        pid.ends_with('\n')
    });
    // It ends when the file is removed.
    fs::remove_file(place.dir().join("pid")).expect("it is ours");
    let pid = Pid::parse(pid.trim()).expect("a process id");
    eventually(SOON, "it has ended", || !process_alive(pid));
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
    let early = stand_in(&place, "ends-early");
    let name = early.file_name().unwrap().to_str().unwrap();
    let (code, error) = support::json(&place, &["start", "--daemon-binary", name]);
    assert_eq!((code, error["error"]["kind"].as_str()), (1, Some("start-failed")), "{error}");
    assert!(error["error"]["message"].as_str().unwrap().contains(&format!("{END}: 3")), "{error}");
    let cause = error["error"]["causes"][0].as_str().unwrap();
    assert!(cause.contains("daemon-spawn.log ends with:\nno room left"), "{cause}");
}

#[test]
fn a_daemon_that_never_answers_is_reported_after_the_limit() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let named = stand_in(&place, "never-answers");
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
    let nowhere = place.dir().join("nowhere");
    let path = std::env::join_paths([nowhere.as_path(), "relative".as_ref()]).unwrap();
    command.args(["--json", "start"]).env("PATH", path);
    let finished = Process::spawn(&mut command).finish(SOON);
    let error = parse(&finished.stdout);
    assert_eq!((code(&finished), error["error"]["kind"].as_str()), (1, Some("no-program")), "{error}");
    let message = error["error"]["message"].as_str().unwrap();
    assert!(message.contains("nowhere") && !message.contains("relative"), "{message}");
}

#[test]
fn the_daemon_gets_absolute_paths_and_the_listed_environment_only() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let path = stand_in(&place, "zccache-daemon");
    let mut command = place.command(alone(&place));
    command.args(["--json", "--cache-dir", "cache", "start", "--log-file", "l.log"]);
    command.args(["--", "--idle-timeout", "7"]);
    command.env("PATH", path.parent().unwrap()).env("SECRET", "1").env("USER", "alice");
    command.env("ZCCACHE_ENDPOINT", if cfg!(windows) { r"\\.\pipe\not-this" } else { "/not/this" });
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
    let root = place.dir().ancestors().last().unwrap();
    assert_eq!(read("cwd").trim_end(), root.to_str().unwrap());
    let env = read("env");
    let mut names: Vec<_> = env.lines().map(str::to_uppercase).collect();
    // Wine sets some of its own.
    names.retain(|name| !name.starts_with("WINE") && name != "SYSTEMDRIVE");
    names.sort_unstable();
    let expected: &[&str] = if cfg!(windows) {
        &[
            "HOME",
            "PATH",
            "SYSTEMROOT",
            "TEMP",
            "TMP",
            "TMPDIR",
            "USER",
            "USERPROFILE",
            "XDG_RUNTIME_DIR",
            "ZCCACHE_CACHE_DIR",
        ]
    } else {
        &["HOME", "PATH", "TMPDIR", "USER", "XDG_RUNTIME_DIR", "ZCCACHE_CACHE_DIR"]
    };
    assert_eq!(names, expected);
}

#[test]
fn output_that_is_captured_ends_although_the_daemon_lives() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let path = stand_in(&place, "never-answers");
    let mut command =
        program(&place, &["--timeout", "0.3", "start", "--daemon-binary", path.to_str().unwrap()]);
    let start = std::time::Instant::now();
    // Reads both streams to their ends.
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert!(start.elapsed() < Duration::from_secs(10), "the pipes ended with the program");
    end(&place);
}

#[cfg(unix)]
#[test]
fn a_runtime_directory_that_another_user_can_change_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
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
