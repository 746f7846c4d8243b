//! `wrap` and its daemon: frozen, shared, switched off, and what both tell of their work.

use std::fs;
use std::process::Command;

use serde_json::Value;
use testkit::watchdog;

use crate::support::{self, SOON};
use crate::wrap_place::{Place, compilers};

#[test]
fn a_compiler_that_calls_the_wrapper_does_not_deadlock() {
    let _watchdog = watchdog(2 * SOON);
    let place = Place::new();
    place.script("cc.sh", "#!/bin/sh\nexec \"$W\" gcc \"$@\"\n");
    let mut line = String::from("for i in 1 2 3 4 5 6; do echo \"int g$i;\" > g$i.c; done; ");
    line.push_str("for i in 1 2 3 4 5 6; do \"$W\" ./cc.sh -c g$i.c -o g$i.o & done; wait; ls g*.o | wc -l");
    let (code, said) = place.sh(&line);
    assert_eq!((code, said.trim()), (0, "6"));
    assert_eq!(place.status()["total_compilations"], 6, "the inner ones are cached");
}

#[test]
fn the_real_compiler_behind_a_script_of_its_name_finds_its_parts() {
    let _watchdog = watchdog(2 * SOON);
    let place = Place::new();
    place.write("a.c", "int a;\n");
    place.script("bin/gcc", "#!/bin/sh\nexec \"$W\" gcc \"$@\"\n");
    place.quietly(
        "PATH=$PWD/bin:$PATH gcc -c a.c -o a.o && PATH=$PWD/bin:$PATH gcc -c a.c -o b.o && cmp a.o b.o",
    );
    assert_eq!(place.hits(), 1);
}

#[test]
fn a_frozen_daemon_is_replaced_once() {
    let _watchdog = watchdog(4 * SOON);
    let place = Place::new();
    place.write("a.c", "int f(void) { return 1; }\n");
    place.quietly("\"$W\" gcc -c a.c");
    let (_, probe) = support::json(&place.0, &["start"]);
    let pid = probe["pid"].as_u64().unwrap();
    assert!(Command::new("kill").args(["-STOP", &pid.to_string()]).status().unwrap().success());
    place.quietly("for i in 1 2 3 4; do \"$W\" gcc -c a.c -o $i.o & done; wait; cmp 1.o 4.o");
    let (_, after) = support::json(&place.0, &["start"]);
    assert_ne!(after["pid"].as_u64(), Some(pid), "{after}");
    // What was stored is there, and the new daemon is not asked twice.
    place.quietly("\"$W\" gcc -c a.c");
    assert!(place.hits() >= 1);
}

#[test]
fn modes_and_the_log_do_as_they_say() {
    let _watchdog = watchdog(2 * SOON);
    let place = Place::new();
    place.write("a.c", "int f(void) { return 1; }\n");
    let outcomes = |mode: &str, args: &str| {
        let log = place.dir().join("log");
        let _ = fs::remove_file(&log);
        let line = format!("ZCCACHE_WRAP_MODE={mode} ZCCACHE_WRAP_LOG=log \"$W\" gcc {args}");
        let (code, said) = place.sh(&line);
        let lines = fs::read_to_string(&log).unwrap_or_default();
        let words: Vec<String> = lines
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON")["outcome"].to_string())
            .collect();
        (code, said, words.concat().replace('"', ""))
    };
    let check = |mode: &str, args: &str, expected: &str| {
        assert_eq!(outcomes(mode, args), (0, String::new(), expected.to_owned()), "{mode} {args}");
    };
    check("read-only", "-c a.c", "miss");
    check("on", "-c a.c", "miss");
    check("on", "-c a.c", "hit");
    check("read-only", "-c a.c", "hit");
    check("recache", "-c a.c", "miss");
    check("off", "-c a.c", "uncached");
    check("on", "-E a.c -o a.i", "uncached");
    let (code, said, _) = outcomes("readonly", "-c a.c");
    assert!(code == 0 && said.lines().count() == 1 && said.contains("ZCCACHE_WRAP_MODE"), "{said}");
}

#[test]
fn every_call_of_a_tool_has_its_line_in_the_log() {
    let _watchdog = watchdog(2 * SOON);
    let place = Place::new();
    place.write("a.c", "int f(void) { int unused; return 1; }\n");
    place.script("cc.sh", "#!/bin/sh\nexec gcc \"$@\"\n");
    let check = |line: &str, code: i32, reason: &str| {
        let log = place.dir().join("log");
        let _ = fs::remove_file(&log);
        let (ended, said) = place.sh(&format!("export ZCCACHE_WRAP_LOG=log; {line}"));
        assert_eq!(ended, code, "{line}: {said}");
        let lines = fs::read_to_string(&log).unwrap_or_default();
        let line: Value = serde_json::from_str(lines.lines().last().expect("a line")).expect("JSON");
        assert_eq!((&line["outcome"], &line["reason"]), (&"uncached".into(), &reason.into()), "{line}");
    };
    check("ZCCACHE_WRAP_MODE=off \"$W\" gcc -c a.c", 0, "off");
    check("\"$W\" ./cc.sh -c a.c", 0, "not_a_compiler");
    check("\"$W\" ls >/dev/null", 0, "not_a_compiler");
    check("ZCCACHE_WRAP_ACTIVE=1 \"$W\" gcc -c a.c", 0, "inner");
    // A warning that cannot be written is an error, also where the result was stored before.
    place.sh("\"$W\" gcc -Wall -c a.c");
    let direct = place.sh("gcc -Wall -c a.c 2>&-").0;
    check("\"$W\" gcc -Wall -c a.c 2>&-", direct, "closed_stream");
    assert_ne!(direct, 0);
    for compiler in compilers(&place) {
        let direct = place.sh(&format!("{compiler} -Wall -c a.c 2>/dev/full")).0;
        check(&format!("\"$W\" {compiler} -Wall -c a.c 2>/dev/full"), direct, "closed_stream");
    }
}

#[test]
fn a_daemon_that_pauses_for_a_moment_is_asked_again() {
    let _watchdog = watchdog(2 * SOON);
    let place = Place::new();
    place.write("a.c", "int f(void) { return 1; }\n");
    place.quietly("\"$W\" gcc -c a.c");
    let pid = support::json(&place.0, &["start"]).1["pid"].as_u64().expect("a daemon answers");
    place.quietly(&format!("kill -STOP {pid}; (sleep 1.5; kill -CONT {pid}) & \"$W\" gcc -c a.c; wait"));
    place.quietly("ZCCACHE_WRAP_LOG=log \"$W\" gcc -c a.c");
    let log = fs::read_to_string(place.dir().join("log")).unwrap();
    assert!(log.contains(r#""outcome":"hit""#), "{log}");
}

#[test]
fn a_limit_of_file_sizes_holds_for_a_hit_too() {
    let _watchdog = watchdog(2 * SOON);
    let place = Place::new();
    place.write("a.c", "int f(void) { return 1; }\n");
    place.quietly("\"$W\" gcc -c a.c && \"$W\" gcc -c a.c");
    for limit in [0, 1, 100_000] {
        let line = |wrapper: &str| {
            let run = format!("(ulimit -f {limit}; ZCCACHE_WRAP_LOG=log {wrapper} gcc -c a.c) 2>/dev/null");
            place.sh(&format!("rm -f a.o; {run}; echo $?; ls -A | grep -v log"))
        };
        assert_eq!(line("\"$W\""), line(""), "{limit} blocks");
    }
    let log = fs::read_to_string(place.dir().join("log")).unwrap();
    assert!(log.lines().last().unwrap().contains(r#""outcome":"hit""#), "a large limit is none: {log}");
    // A miss has files of its own, which the limit may not allow.
    place.write("b.c", "int g(void) { return 2; }\n");
    assert_eq!(place.sh("ulimit -f 4; \"$W\" gcc -c b.c"), place.sh("ulimit -f 4; gcc -c b.c"));
}

#[test]
fn status_tells_compilations_from_lookups_and_why_some_are_not_cached() {
    let _watchdog = watchdog(2 * SOON);
    let place = Place::new();
    place.write("a.c", "int f(void) { return 1; }\n");
    place.quietly(
        "\"$W\" gcc -c a.c; \"$W\" gcc -c a.c; \"$W\" gcc -E a.c -o a.i; \"$W\" gcc -shared a.o -o a.so",
    );
    let status = place.status();
    let of = &status["daemon"]["compile"];
    assert_eq!((&of["hits"], &of["misses"], &of["not_cached"]), (&1.into(), &1.into(), &2.into()), "{of}");
    assert!(of["saved_ms"].as_u64() > Some(0) && of["saved_ms"] == status["time_saved_ms"], "{status}");
    assert_eq!(status["daemon"]["lookup"]["hits"], 0);
    assert_eq!(of["not_cached_by_reason"], serde_json::json!({"refused_argument": 1, "source_kind": 1}));
    assert_eq!(of["misses_by_reason"], serde_json::json!({"first": 1}));
    // A compilation that fails is an error, and no miss.
    place.sh("echo 'int 1;' > e.c; \"$W\" gcc -c e.c");
    let of = &place.status()["daemon"]["compile"];
    assert_eq!((&of["misses"], &of["errors"]), (&1.into(), &1.into()), "{of}");
    // A changed source has another key. A changed header is one of the inputs under a known key.
    place.write("h.h", "int h;\n");
    place.write("b.c", "#include \"h.h\"\n");
    place.quietly("\"$W\" gcc -c b.c; echo 'int other;' > h.h; \"$W\" gcc -c b.c");
    place.quietly("ZCCACHE_WRAP_MODE=recache \"$W\" gcc -c b.c");
    place.quietly("echo 'const char *t = __TIME__;' > t.c; \"$W\" gcc -c t.c");
    let status = place.status();
    let of = &status["daemon"]["compile"];
    assert_eq!(of["misses_by_reason"]["file"], 1, "{of}");
    assert_eq!(of["misses_by_reason"]["recache"], 1, "{of}");
    assert_eq!(of["not_kept_by_reason"].as_object().map(serde_json::Map::len), Some(1), "{of}");
    let text = support::run(&place.0, &["status"]).stdout;
    for part in ["source_kind 1", "first ", "file 1", "recache 1"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    for absent in ["lookups", "link steps", "dependency graph", "metadata entries"] {
        assert!(!text.contains(absent), "{absent}: {text}");
    }
}

#[test]
fn a_signal_ends_the_wrapper_as_it_ended_the_compiler() {
    let _watchdog = watchdog(2 * SOON);
    let place = Place::new();
    // A compiler that never ends by itself: it waits for its source.
    assert!(Command::new("mkfifo").arg(place.dir().join("wait.h")).status().unwrap().success());
    place.write("a.c", "#include \"wait.h\"\n");
    place.quietly("echo 'int x;' > b.c; \"$W\" gcc -c b.c");
    let (_, said) = place.sh(
        "\"$W\" gcc -c a.c & pid=$!; while ! pgrep -P $pid >/dev/null; do :; done; kill -TERM $pid; wait $pid; \
         echo $?; ls a.o 2>/dev/null; timeout 5 sh -c ': > wait.h'",
    );
    assert!(said.split_whitespace().any(|word| word == "143") && !said.contains("a.o"), "{said}");
}

#[test]
fn explain_names_the_reason_and_compiles_nothing() {
    let _watchdog = watchdog(2 * SOON);
    let place = Place::new();
    place.write("a.c", "#include \"h.h\"\n");
    place.write("h.h", "int h;\n");
    let explain = |line: &str| {
        let words: Vec<&str> = ["explain", "--"].into_iter().chain(line.split(' ')).collect();
        support::json_with_path(&place.0, &words)
    };
    let unknown = explain("gcc -c a.c").1;
    assert_eq!((&unknown["outcome"], &unknown["argument"]), (&"unknown".into(), &Value::Null));
    place.quietly("\"$W\" gcc -c a.c && rm a.o");
    let (code, hit) = explain("gcc -c a.c");
    assert_eq!((code, &hit["outcome"]), (0, &"hit".into()), "{hit}");
    assert!(hit["parts"].to_string().contains("[\"source\",\"a.c\"]"), "{hit}");
    place.write("h.h", "int other;\n");
    let (code, miss) = explain("gcc -c a.c");
    assert_eq!((code, &miss["outcome"], &miss["key"]), (0, &"miss".into(), &hit["key"]));
    assert!(miss["differs"][0].as_str().unwrap().starts_with("h.h "), "{miss}");
    let of = &place.status()["daemon"]["compile"];
    assert_eq!((&of["hits"], &of["misses"]), (&0.into(), &1.into()), "an explanation counts nowhere: {of}");
    let (code, refused) = explain("gcc -E a.c");
    assert_eq!((code, &refused["argument"]), (1, &"-E".into()), "{refused}");
    assert!(!place.dir().join("a.o").exists());
}

#[test]
fn a_daemon_that_refuses_its_command_line_is_heard() {
    let _watchdog = watchdog(SOON);
    let place = Place::new();
    for line in [&["start", "--max-size", "150KB"][..], &["start", "--", "--max-size", "150KB"]] {
        let said = support::run(&place.0, line).stderr;
        assert!(said.contains("1.0 MiB is the least size of a store"), "{said}");
        let fix = said.lines().last().unwrap();
        let expected = "  fix: run it in the foreground: zccache-daemon --foreground --endpoint ";
        assert!(fix.starts_with(expected) && fix.ends_with(" --max-size 150KB"), "{said}");
        assert!(!said.contains("\n    \n"), "{said}");
    }
    let said = support::run(&place.0, &["start", "--max-size", "foo"]).stderr;
    assert!(said.contains("not a size such as 500MB, 2GiB or a number of bytes"), "{said}");
    let (code, _) = support::json(&place.0, &["start", "--max-size", "2MiB"]);
    assert_eq!(code, 0);
    let said = support::run(&place.0, &["start", "--max-size", "3MiB"]).stdout;
    assert!(said.contains("it keeps its own arguments"), "{said}");
}
