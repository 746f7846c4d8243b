//! Running the program, and reading what it says.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::{Finished, Process, TempEndpoint};

/// The verbs that need a daemon, and start none.
pub(crate) const ASKING: &[&[&str]] = &[
    &["ping"],
    &["status"],
    &["clear"],
    &["store", "key", "file"],
    &["lookup", "key", "-o", "out"],
    &["session", "start"],
    &["session", "stats", "id"],
    &["session", "end", "id"],
    &["release-handles", "path"],
    &["artifacts"],
    &["request", r#"{"variant":"Ping"}"#],
];

/// Longer than any step that works, and shorter than the timeout of a test.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// Runs `work` until it takes less than `bound` once, three times at most: the program starts beside other
/// tests, so that twice it may be late.
#[track_caller]
pub(crate) fn within<T>(bound: Duration, mut work: impl FnMut() -> T) -> T {
    let mut times = Vec::new();
    for _ in 0..3 {
        let began = Instant::now();
        let result = work();
        times.push(began.elapsed());
        if times.last().is_some_and(|took| *took < bound) {
            return result;
        }
    }
    panic!("it never took less than {bound:?}: {times:?}");
}

/// Where the program is.
pub(crate) fn path() -> PathBuf {
    // A compiler behind a shell, as one for another platform may be, is not told: shells drop such a name.
    option_env!("CARGO_BIN_EXE_zccache-ipc").map_or_else(|| testkit::program("zccache-ipc"), PathBuf::from)
}

/// The program, for the user whose daemon is at `place`.
pub(crate) fn program(place: &TempEndpoint, arguments: &[&str]) -> Command {
    let mut command = place.command(path());
    command.args(arguments);
    command
}

/// Runs the program to its end.
#[track_caller]
pub(crate) fn run(place: &TempEndpoint, arguments: &[&str]) -> Finished {
    Process::spawn(&mut program(place, arguments)).finish(SOON)
}

/// Runs the program and returns its exit code and what it said to a program.
#[track_caller]
pub(crate) fn json(place: &TempEndpoint, arguments: &[&str]) -> (i32, Value) {
    let finished = run(place, &[&["--json"], arguments].concat());
    assert_eq!(finished.stderr, "", "{arguments:?}");
    (code(&finished), parse(&finished.stdout))
}

/// Does the same with the system's programs on `PATH`.
#[cfg(unix)]
#[track_caller]
pub(crate) fn json_with_path(place: &TempEndpoint, arguments: &[&str]) -> (i32, Value) {
    let mut command = program(place, &[&["--json"], arguments].concat());
    let finished = Process::spawn(command.env("PATH", "/usr/local/bin:/usr/bin:/bin")).finish(SOON);
    assert_eq!(finished.stderr, "", "{arguments:?}");
    (code(&finished), parse(&finished.stdout))
}

/// Runs the program with `input` as its standard input.
#[track_caller]
pub(crate) fn run_with_input(place: &TempEndpoint, arguments: &[&str], input: &[u8]) -> Finished {
    let path = place.temp_dir().join("input");
    File::create(&path).unwrap().write_all(input).unwrap();
    let mut command = program(place, arguments);
    command.stdin(File::open(&path).unwrap()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = command.output().unwrap();
    Finished {
        status: output.status,
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The exit code.
#[track_caller]
pub(crate) fn code(finished: &Finished) -> i32 {
    finished.status.code().unwrap_or_else(|| panic!("ended by a signal: {finished:?}"))
}

/// The JSON on the one line that `text` is.
#[track_caller]
pub(crate) fn parse(text: &str) -> Value {
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// One of the recorded files of the published releases.
pub(crate) fn vectors(name: &str) -> Value {
    let path = format!("{}/../../tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Returns a form with a slash for each backslash: on Windows, a path has a backslash for each recorded slash.
pub(crate) fn comparable(form: &Value) -> Value {
    match form {
        Value::String(text) if cfg!(windows) => Value::String(text.replace('\\', "/")),
        Value::Array(values) => values.iter().map(comparable).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), comparable(value))).collect()
        }
        _ => form.clone(),
    }
}

/// Does the same with lines of hexadecimal digits.
pub(crate) fn comparable_hex(lines: &str) -> String {
    let bytes = |line: &str| -> Vec<u8> {
        let bytes = hex::decode(line).unwrap();
        bytes.into_iter().map(|byte| if cfg!(windows) && byte == b'\\' { b'/' } else { byte }).collect()
    };
    lines.lines().map(|line| format!("{}\n", hex::encode(bytes(line)))).collect()
}
