//! What a daemon has of the one who started it: nothing but the listed environment.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use testkit::watchdog;
use zccache_ipc::endpoint::Variable;

use crate::place::{LIMIT, Place};

/// Returns the targets of the descriptors of `process`, by number.
fn descriptors(process: &Path) -> Vec<(u32, PathBuf)> {
    let entries = fs::read_dir(process.join("fd")).expect("the daemon is ours and lives");
    let named = entries.filter_map(|entry| {
        let entry = entry.ok()?;
        Some((entry.file_name().to_str()?.parse().ok()?, fs::read_link(entry.path()).ok()?))
    });
    named.collect()
}

#[cfg(target_os = "linux")]
#[test]
fn a_daemon_has_no_file_no_stream_no_terminal_and_no_variable_of_its_starter() {
    let (cli, daemon) = (testkit::program("zccache-ipc"), testkit::program("zccache-daemon"));
    let place = Place::new();
    let _watchdog = watchdog(LIMIT);
    let mine = place.0.dir().join("of the starter");
    fs::write(&mine, "x").expect("the place takes files");
    // Descriptors that an ordinary child would get: a file, and the pipe that this test reads.
    let mut command = place.0.command("/bin/sh");
    command.args(["-c", r#"exec 7<"$1" 8>&1 9>&2; shift; exec "$@""#, "sh"]).args([&mine, &cli]);
    command.args(["--json", "start", "--daemon-binary"]).arg(&daemon).args(["--", "--idle-timeout", "60"]);
    command.env("SECRET", "x").env("ZCCACHE_ENDPOINT", place.endpoint().as_str());
    command.env("LD_LIBRARY_PATH", "/nowhere").env("USER", "alice");
    let mut starter = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let (mut out, mut err) = (starter.stdout.take().expect("piped"), starter.stderr.take().expect("piped"));
    let (mut said, mut complained) = (String::new(), String::new());
    // Both to their ends, which a daemon that held one of them would never let come.
    out.read_to_string(&mut said).expect("text");
    err.read_to_string(&mut complained).expect("text");
    assert!(starter.wait().expect("it is ours").success(), "{said} {complained}");
    place.ping().expect("the daemon lives, and the streams have ended");

    let said: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    let pid = said["pid"].as_u64().expect("a process id");
    let process = PathBuf::from(format!("/proc/{pid}"));
    let held = descriptors(&process);
    for (number, what) in &held {
        assert_ne!(*what, mine, "descriptor {number}");
        let is_null = what == Path::new("/dev/null");
        // The standard error is the log of the start: so `start` can quote a daemon that refuses its arguments.
        let is_log =
            *number == 2 && what.starts_with(place.0.cache_dir()) && what.ends_with("daemon-spawn.log");
        assert_eq!(*number < 3, is_null || is_log, "descriptor {number} is {what:?}: {held:?}");
    }
    assert_eq!(held.iter().filter(|(number, _)| *number < 3).count(), 3, "{held:?}");

    let environment = fs::read(process.join("environ")).expect("the daemon is ours and lives");
    let variables = environment.split(|byte| *byte == 0).filter(|variable| !variable.is_empty());
    for variable in variables {
        let variable = String::from_utf8_lossy(variable);
        let name = variable.split('=').next().unwrap_or_default();
        assert!(Variable::from_name(name).is_some(), "{variable} is not in the list");
        assert_ne!(name, Variable::Endpoint.name(), "it is in the arguments");
    }

    let arguments = fs::read_to_string(process.join("cmdline")).expect("the daemon is ours and lives");
    for argument in arguments.split('\0').filter(|argument| argument.contains('/')) {
        assert!(Path::new(argument).is_absolute(), "{arguments:?}");
    }
    let stat = fs::read_to_string(process.join("stat")).expect("the daemon is ours and lives");
    let fields: Vec<&str> = stat.rsplit_once(") ").expect("a name").1.split(' ').collect();
    // State, parent, group, session, terminal.
    let pid = pid.to_string();
    assert_eq!((fields[2], fields[3], fields[4]), (pid.as_str(), pid.as_str(), "0"), "{stat}");
}
