//! Help, usage and shells.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use testkit::{TempEndpoint, watchdog};

use crate::support::{SOON, code, json, program, run};

const VERBS: &[&[&str]] = &[
    &["start"],
    &["stop"],
    &["status"],
    &["ping"],
    &["probe"],
    &["doctor"],
    &["clear"],
    &["endpoint"],
    &["store"],
    &["lookup"],
    &["session"],
    &["session", "start"],
    &["session", "stats"],
    &["session", "end"],
    &["request"],
    &["manifest"],
    &["manifest", "publish"],
    &["manifest", "show"],
    &["manifest", "list"],
    &["service-definition"],
    &["service-definition", "install"],
    &["service-definition", "show"],
    &["service-definition", "remove"],
    &["wire"],
    &["wire", "decode"],
    &["wire", "encode"],
    &["completions"],
];

#[test]
fn every_verb_has_help_with_an_example() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let all = run(&place, &["--help"]).stdout;
    for verb in VERBS {
        let finished = run(&place, &[verb, &["--help"][..]].concat());
        assert_eq!((code(&finished), finished.stderr.as_str()), (0, ""), "{verb:?}");
        assert!(finished.stdout.contains("Example"), "{verb:?}: {}", finished.stdout);
        assert!(all.contains(&format!("\n  {} ", verb[0])), "{verb:?} in {all}");
    }
    for exit in 0..=8 {
        assert!(all.contains(&format!("\n  {exit}  ")), "{exit} in {all}");
    }
    let version = run(&place, &["--version"]).stdout;
    assert_eq!(version, format!("zccache-ipc {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_command_line_that_is_not_valid_is_told_in_the_form_that_was_asked_for() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let check = |arguments: &[&str], part: &str| {
        let (exit, error) = json(&place, arguments);
        assert_eq!((exit, error["error"]["kind"].as_str()), (2, Some("usage")), "{arguments:?}");
        let message = error["error"]["message"].as_str().unwrap();
        assert!(message.contains(part) && !message.contains("Usage"), "{message}");
        let finished = run(&place, arguments);
        assert_eq!((code(&finished), finished.stdout.as_str()), (2, ""), "{arguments:?}");
    };
    check(&["nonsense"], "nonsense");
    check(&["--timeout", "0", "ping"], "seconds above 0");
    check(&["store", "key"], "<FILE>...");
    check(&["session", "start", "--owner-pid", "0"], "--owner-pid");
    check(&["session", "start", "--private-env", "=v"], "NAME=VALUE");
    check(&["wire", "decode", "00"], "--request");
    check(&["wire", "decode", "--request", "--response", "00"], "cannot be used with");
    check(&["completions", "tcsh"], "tcsh");
}

#[test]
fn completions_are_printed_for_every_shell() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let finished = run(&place, &["completions", shell]);
        assert_eq!(code(&finished), 0);
        assert!(finished.stdout.contains("zccache-ipc"), "{shell}");
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    for arguments in [
        &["endpoint"][..],
        &["endpoint", "--json"],
        &["--help"],
        &["completions", "bash"],
        &["ping", "--json"],
    ] {
        let mut command = program(&place, arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        // At most one line is read, and the pipe is closed behind it.
        BufReader::with_capacity(1, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let ended = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(ended.stderr).unwrap();
        assert!(!stderr.contains("panic"), "{arguments:?}: {stderr}");
        assert!(matches!(ended.status.code(), Some(0 | 3)), "{arguments:?}: {:?}", ended.status);
        assert!(!first.is_empty());
    }
    // And one that was never there.
    let mut command = program(&place, &["endpoint"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr), (Some(0), Vec::new()));
}
