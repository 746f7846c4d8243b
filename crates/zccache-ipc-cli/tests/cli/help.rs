//! Help, usage and shells.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use testkit::{TempEndpoint, watchdog};

use crate::support::{SOON, code, json, program, run};

/// Every verb below `prefix`, as the help of `prefix` lists them; a test would forget the next one.
fn verbs(place: &TempEndpoint, prefix: &[String]) -> Vec<Vec<String>> {
    let arguments: Vec<&str> = prefix.iter().map(String::as_str).chain(["--help"]).collect();
    let help = run(place, &arguments).stdout;
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = listed
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help");
    names
        .flat_map(|name| {
            let verb = [prefix, &[name.to_owned()]].concat();
            let below = verbs(place, &verb);
            [vec![verb], below].concat()
        })
        .collect()
}

#[test]
fn every_verb_has_help_with_an_example() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let all = run(&place, &["--help"]).stdout;
    let documented = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md");
    let documented = std::fs::read_to_string(documented).unwrap();
    let verbs = verbs(&place, &[]);
    assert!(verbs.len() >= 30, "{verbs:?}");
    for verb in verbs {
        let arguments: Vec<&str> = verb.iter().map(String::as_str).chain(["--help"]).collect();
        let finished = run(&place, &arguments);
        assert_eq!((code(&finished), finished.stderr.as_str()), (0, ""), "{verb:?}");
        assert!(finished.stdout.contains("Example"), "{verb:?}: {}", finished.stdout);
        assert!(documented.contains(&format!("`{}", verb.join(" "))), "{verb:?} is not in docs/cli.md");
    }
    for exit in 0..=8 {
        assert!(all.contains(&format!("\n  {exit}  ")), "{exit} in {all}");
    }
    let version = run(&place, &["--version"]).stdout;
    assert_eq!(version, format!("zccache-ipc {}\n", env!("CARGO_PKG_VERSION")));
}

/// A wrapped example cannot be copied: its second line would be a command of its own.
#[test]
fn no_example_and_no_exit_code_is_wrapped_at_80_columns() {
    let _watchdog = watchdog(4 * SOON);
    let place = TempEndpoint::new();
    let part = |verb: &[String], columns: &str| {
        let arguments: Vec<&str> = verb.iter().map(String::as_str).chain(["--help"]).collect();
        let finished =
            testkit::Process::spawn(program(&place, &arguments).env("COLUMNS", columns)).finish(SOON);
        let lines: Vec<String> = finished.stdout.lines().map(str::to_owned).collect();
        let is_head = |line: &&String| line.starts_with("Example") || line.as_str() == "Exit codes:";
        let heads = lines.iter().filter(is_head).count();
        assert!(heads > 0, "{verb:?}");
        let from = lines.iter().position(|line| is_head(&line)).unwrap();
        lines[from..].iter().take_while(|line| !line.is_empty()).cloned().collect::<Vec<_>>()
    };
    for verb in [vec![Vec::new()], verbs(&place, &[])].concat() {
        let narrow = part(&verb, "80");
        assert_eq!(narrow, part(&verb, "100"), "{verb:?}");
        assert!(narrow.iter().all(|line| line.chars().count() <= 80), "{narrow:#?}");
    }
}

#[test]
fn a_usage_error_has_the_requested_output_form() {
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
