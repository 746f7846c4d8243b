//! A command behind `zccache-wrap` is the command itself: arguments, streams and exit code, with a tool of ours.

#[cfg(test)] // its functions are those of tests
mod compiler;

use std::process::{Command, Output};
use std::time::Duration;

use testkit::{TempEndpoint, watchdog};

/// Arguments that a command line of Windows would break first.
const ARGUMENTS: &[&str] = &[
    "plain",
    "",
    "a b",
    "quote\"inside",
    "\"quoted\"",
    "back\\slash\\",
    "two\\\\ and a space\\",
    "\\\"",
    "%PATH%",
    "^&|<>",
    "*.c",
    "ä€😀",
    "@response.txt",
];

/// All 32 bits of it count on Windows, and the low 8 elsewhere.
const CODES: &[u32] =
    if cfg!(windows) { &[0, 1, 127, 255, 256, 0xC000_0100, u32::MAX] } else { &[0, 1, 127, 255] };

fn run(command: &mut Command, code: u32) -> Output {
    command.args(ARGUMENTS).env("STAND_IN_CODE", code.to_string()).output().expect("it starts")
}

#[test]
fn arguments_streams_and_the_exit_code_of_the_tool_are_unchanged() {
    let _watchdog = watchdog(Duration::from_secs(60));
    let place = TempEndpoint::new();
    let (wrap, tool) = (testkit::program("zccache-wrap"), testkit::program("stand-in"));
    for code in CODES {
        let alone = run(&mut place.command(&tool), *code);
        assert_eq!(alone.status.code(), Some(code.cast_signed()));
        for argument in ARGUMENTS {
            let line = format!("[{argument}]\n");
            assert!(String::from_utf8_lossy(&alone.stdout).contains(&line), "{alone:?}");
        }
        let wrapped = run(place.command(&wrap).arg(&tool), *code);
        assert_eq!(wrapped, alone);
    }
}

#[test]
fn a_tool_on_path_is_found_with_the_ending_that_its_name_lacks() {
    let _watchdog = watchdog(Duration::from_secs(60));
    let place = TempEndpoint::new();
    let (wrap, tool) = (testkit::program("zccache-wrap"), testkit::program("stand-in"));
    let dir = tool.parent().expect("a program is in a directory");
    let found = place.command(&wrap).arg("stand-in").env("PATH", dir).output().expect("it starts");
    assert!(found.status.success(), "{found:?}");
    let missing = place.command(&wrap).arg("no-such-tool").env("PATH", dir).output().expect("it starts");
    assert_eq!(missing.status.code(), Some(127), "{missing:?}");
}
