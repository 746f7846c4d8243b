//! `zccache-ipc certify` against our daemon: every rule of docs/spec that it knows is kept.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use testkit::{Process, TempEndpoint, eventually, program, watchdog};

/// The programs may have to be built first.
const LIMIT: Duration = Duration::from_secs(600);

/// The time that each step may take.
const STEP: Duration = Duration::from_secs(60);

/// Runs certify against our daemon with these `--wires`, and returns its report.
fn certify(wires: &str) -> Value {
    let place = TempEndpoint::new();
    let name = place.name();
    let mut daemon = place.command(program("zccache-daemon"));
    let _daemon = Process::spawn(daemon.args(["--foreground", "--endpoint", &name, "--wires", wires]));
    let line = program("zccache-ipc");
    let run = |arguments: &[&str]| {
        let mut command = place.command(&line);
        Process::spawn(command.args(["--endpoint", &name]).args(arguments)).finish(STEP)
    };
    let wire = if wires == "v16" { "v16" } else { "v15" };
    eventually(STEP, "the daemon answers", || run(&["--wire", wire, "ping"]).status.success());
    let finished = run(&["--json", "certify", "--changes"]);
    assert!(finished.status.success(), "{finished:?}");
    serde_json::from_str(&finished.stdout).expect("one JSON value")
}

#[test]
fn our_daemon_keeps_every_rule_in_each_of_its_configurations() {
    let _watchdog = watchdog(LIMIT);
    for (wires, served) in [("all", 8), ("v15", 1), ("v16", 4)] {
        let said = certify(wires);
        assert_eq!(said["served"].as_array().map(Vec::len), Some(served), "{wires}: {said}");
        let sums = ["failed", "differs"].map(|sum| said[sum].as_u64());
        let kept = |rule: &&Value| rule["result"] != "passed" && rule["result"] != "not applicable";
        let rules = said["rules"].as_array().expect("a list");
        assert_eq!(sums, [Some(0), Some(0)], "{wires}: {:?}", rules.iter().filter(kept).collect::<Vec<_>>());
    }
}

#[test]
fn the_page_lists_the_rules_that_certify_has() {
    let _watchdog = watchdog(LIMIT);
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/certify.md");
    let page = std::fs::read_to_string(page).expect("the page is there");
    let documented: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
        .filter(|cell| !matches!(*cell, "rule" | "result") && !cell.starts_with('`'))
        .collect();
    let said = certify("all");
    let names = said["rules"].as_array().expect("a list").iter().filter_map(|rule| rule["rule"].as_str());
    let names: BTreeSet<&str> = names.collect();
    assert_eq!(documented, names, "make docs/certify.md again, as the page says");
}
