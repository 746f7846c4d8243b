//! Fingerprints, handles and lists, against the daemon of this workspace.

use std::fs;
use std::path::Path;

use serde_json::json;
use testkit::{TempEndpoint, watchdog};
use zccache_ipc::model::NormalizedPath;

use crate::real::{Place, daemon, start};
use crate::support::{self, SOON, code, program, run};

fn place(daemon: &Path) -> Place {
    let place = Place(TempEndpoint::new());
    let started = program(&place.0, &start(daemon)).output().expect("it runs");
    assert!(started.status.success(), "{started:?}");
    place
}

#[test]
fn fingerprints_have_the_exit_codes_of_released_programs() {
    // May have to be built, which the watchdog need not wait for.
    let daemon = daemon();
    let _watchdog = watchdog(2 * SOON);
    let place = place(&daemon);
    let place = &place.0;
    let root = place.dir().join("src");
    fs::create_dir_all(root.join("sub")).unwrap();
    fs::write(root.join("a.rs"), "a").unwrap();
    fs::write(root.join("sub/b.c"), "b").unwrap();
    // Code and first line, as `zccache fp` of 1.12.0 and 1.12.9 has the codes.
    let fp = |arguments: &[&str]| {
        let finished = run(place, &[&["fp", "--cache-file", ".cache/fp"], arguments].concat());
        (code(&finished), finished.stdout.lines().map(str::to_owned).collect::<Vec<_>>().join("|"))
    };
    let check: &[&str] = &["check", "--root", "src"];
    let said = |code, text: &str| (code, text.to_owned());
    assert_eq!(fp(check), said(0, "run (no cache file)"));
    assert_eq!(fp(check), said(0, "run (pending)"));
    assert_eq!(fp(&["mark-success"]), said(0, "marked as successful"));
    assert_eq!(fp(check), said(1, "skip (nothing changed)"));
    fs::write(root.join("a.rs"), "changed").unwrap();
    assert_eq!(fp(check), said(0, "run (content changed)|  a.rs"));
    assert_eq!(fp(&["mark-failure"]), said(0, "marked as failed"));
    assert_eq!(fp(check), said(0, "run (content changed)|  a.rs"));
    assert_eq!(fp(&["invalidate"]), said(0, "forgotten"));
    assert_eq!(fp(&["mark-success"]), said(0, "marked as successful"));
    assert_eq!(fp(&["check", "--root", "src", "--ext", "c"]), said(0, "run (no cache file)"));
    let bad = fp(&["check", "--root", "src", "--include", "["]);
    assert!(bad.0 == 0 && bad.1.starts_with("run (scan error: scan error in [: invalid glob"), "{bad:?}");
    let missing = fp(&["check", "--root", "missing"]);
    assert!(missing.0 == 0 && missing.1.contains("cannot canonicalize root"), "{missing:?}");
    assert_eq!(fp(&["check", "--ext", "c", "--include", "**"]).0, 2);

    // The file's place in the command line is free, and the words of the answer are for programs too.
    let arguments = ["fp", "check", "--root", "src", "--cache-file", "other", "--cache-type", "hash"];
    let (exit, value) = support::json(place, &arguments);
    assert_eq!((exit, &value["decision"], &value["reason"]), (0, &json!("run"), &json!("no cache file")));
    let (exit, value) = support::json(place, &["fp", "mark-success"]);
    assert_eq!((exit, &value["error"]["kind"]), (2, &json!("usage")), "{value}");
}

#[test]
fn a_fingerprint_that_could_not_be_asked_for_is_neither_run_nor_skip() {
    let _watchdog = watchdog(SOON);
    let place = TempEndpoint::new();
    let (exit, value) = support::json(&place, &["fp", "--cache-file", "f", "check"]);
    assert_eq!((exit, &value["error"]["kind"]), (2, &json!("no-daemon")), "{value}");
}

#[test]
fn handles_are_released_but_not_above_the_cache() {
    // May have to be built, which the watchdog need not wait for.
    let daemon = daemon();
    let _watchdog = watchdog(2 * SOON);
    let place = place(&daemon);
    let place = &place.0;
    fs::create_dir(place.dir().join("tree")).unwrap();
    let id = run(place, &["session", "start", "--cwd", "tree"]).stdout;
    let top = place.dir().ancestors().last().unwrap().to_str().unwrap();
    let (exit, refused) = support::json(place, &["release-handles", top]);
    let message = refused["error"]["message"].as_str().unwrap();
    assert_eq!(exit, 1);
    let top = NormalizedPath::from(top);
    assert!(message.contains(&format!("refusing to release handles under {top} ")), "{message}");
    let (exit, value) = support::json(place, &["release-handles", "tree"]);
    let expected =
        json!({ "inspected": 1, "released": 1, "sessions_dropped": [id.trim()], "unreleased": [] });
    assert_eq!((exit, value), (0, expected));
    assert_eq!(run(place, &["release-handles", "tree"]).stdout, "released 0 of 0 handles\n");
}

#[test]
fn artifacts_of_rustc_are_listed() {
    // May have to be built, which the watchdog need not wait for.
    let daemon = daemon();
    let _watchdog = watchdog(2 * SOON);
    let place = place(&daemon);
    let place = &place.0;
    assert_eq!(run(place, &["artifacts"]).stdout, "no artifacts of rustc are cached\n");
    fs::write(place.dir().join("liba.rlib"), "a").unwrap();
    fs::write(place.dir().join("main.o"), "b").unwrap();
    for (key, file) in [("k1", "liba.rlib"), ("k2", "main.o")] {
        assert_eq!(code(&run(place, &["store", key, file])), 0);
    }
    let listed = run(place, &["artifacts"]).stdout;
    assert_eq!(listed.split_whitespace().collect::<Vec<_>>(), ["k1", "1", "liba.rlib"]);
    let (exit, value) = support::json(place, &["artifacts"]);
    let expected = json!([{ "cache_key": "k1", "output_names": ["liba.rlib"], "payload_count": 1 }]);
    assert_eq!((exit, &value["artifacts"]), (0, &expected));
}

#[test]
fn a_tool_has_its_own_exit_code_and_streams_and_runs_once() {
    // May have to be built, which the watchdog need not wait for.
    let daemon = daemon();
    let _watchdog = watchdog(2 * SOON);
    let place = place(&daemon);
    let place = &place.0;
    fs::write(place.dir().join("in.txt"), "input").unwrap();
    let tool = testkit::stand_in(place.dir(), "acts");
    let tool = tool.to_str().unwrap();
    let actions = ["append=log=run\n", "show=in.txt", "err=err\n", "write=out.txt=made\n", "exit=7"];
    let declared = ["exec", "--input-file", "in.txt", "--input-env", "HOME", "--output-file", "out.txt"];
    let exec = || run(place, &[&declared[..], &["--", tool], &actions].concat());
    let runs = || fs::read_to_string(place.dir().join("log")).unwrap().lines().count();
    for _ in 0..2 {
        let finished = exec();
        let said = (code(&finished), finished.stdout.as_str(), finished.stderr.as_str());
        assert_eq!(said, (7, "input", "err\n"));
        assert_eq!(runs(), 1);
        assert_eq!(fs::read_to_string(place.dir().join("out.txt")).unwrap(), "made\n");
        fs::remove_file(place.dir().join("out.txt")).unwrap();
    }
    fs::write(place.dir().join("in.txt"), "other").unwrap();
    assert_eq!((exec().stdout.as_str(), runs()), ("other", 2));
    let (exit, value) = support::json(place, &["exec", "--no-cache", "--", tool, "out=o\n"]);
    assert_eq!((exit, &value["cached"], &value["stdout"]["$hex"]), (0, &json!(false), &json!("6f0a")));

    // As the released command line has them.
    assert_eq!(code(&run(place, &["exec", "--", "no-such-program"])), 127);
    let nowhere = place.dir().join("nowhere").join("tool");
    let nowhere = nowhere.to_str().unwrap();
    let (exit, value) = support::json(place, &["exec", "--", nowhere]);
    assert_eq!(exit, 2);
    let refused = format!("cannot hash tool {}", NormalizedPath::from(nowhere));
    assert!(value["error"]["message"].as_str().unwrap().contains(&refused), "{value}");
    let (exit, value) = support::json(place, &["exec", "--input-file", "missing", "--", tool]);
    assert_eq!(exit, 2);
    assert!(value["error"]["message"].as_str().unwrap().contains("cannot hash input file"), "{value}");
    assert_eq!(code(&run(place, &["exec", "--tool-hash", "zz", "--", tool])), 2);
    assert_eq!(code(&run(place, &["exec", "sh"])), 2);
}
