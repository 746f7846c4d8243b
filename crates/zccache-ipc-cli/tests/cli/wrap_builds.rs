//! Real builds behind `wrap`, and starters that set signals or identities up in their own way.

use testkit::{eventually, watchdog};

use crate::support::{self, SOON};
use crate::wrap_place::Place;

const LISTS: &str = "cmake_minimum_required(VERSION 3.16)\nproject(p C CXX)\nadd_executable(e e.c m.cpp)\n\
    target_include_directories(e PRIVATE inc)\n";

/// Returns true if a test has its tools, and prints what is missing.
#[expect(clippy::print_stdout, reason = "a test that is left out says why")]
fn has(place: &Place, tools: &str) -> bool {
    let has = place.has(tools);
    if !has {
        println!("left out: not all of {tools} are installed");
    }
    has
}

/// Returns true if `env` has an option that sets signals up, and prints what is missing.
#[expect(clippy::print_stdout, reason = "a test that is left out says why")]
fn has_option(place: &Place, option: &str) -> bool {
    let has = place.sh(&format!("env {option} true")).0 == 0;
    if !has {
        println!("left out: this env has no {option}");
    }
    has
}

#[test]
fn a_changed_header_rebuilds_objects_of_cmake_that_came_from_the_store() {
    let _watchdog = watchdog(6 * SOON);
    let place = Place::new();
    if !has(&place, "cmake ninja make gcc g++") {
        return;
    }
    place.write("src/CMakeLists.txt", LISTS);
    place.write(
        "src/e.c",
        "#include \"v.h\"\n#include <stdio.h>\nint m(void);\n\
            int main(void) { printf(\"%d%d\", V, m()); return 0; }\n",
    );
    place.write("src/m.cpp", "#include \"v.h\"\nextern \"C\" int m() { return V; }\n");
    for generator in ["Ninja", "Unix Makefiles"] {
        place.write("src/inc/v.h", "#define V 1\n");
        place.quietly(&format!(
            "rm -rf b; cmake -S src -B b -G '{generator}' -DCMAKE_C_COMPILER_LAUNCHER=\"$W\" \
                -DCMAKE_CXX_COMPILER_LAUNCHER=\"$W\" >log 2>&1 || cat log"
        ));
        for value in [1, 2, 1] {
            place.write("src/inc/v.h", format!("#define V {value}\n"));
            // Build systems compare times, of which make knows whole ticks only.
            place.quietly("touch -d '1 minute' src/inc/v.h; cmake --build b >log 2>&1 || cat log");
            let built = place.sh("touch -d '2 minutes ago' src/inc/v.h; b/e");
            assert_eq!(built, (0, format!("{value}{value}")), "{generator}");
        }
        let before = place.hits();
        place.quietly("cmake --build b --target clean >log 2>&1; cmake --build b >log 2>&1 || cat log");
        assert_eq!(place.hits() - before, 2, "{generator}");
    }
}

#[test]
fn under_fakeroot_the_daemon_is_used_and_nothing_is_said() {
    let _watchdog = watchdog(3 * SOON);
    let place = Place::new();
    if !has(&place, "fakeroot gcc") {
        return;
    }
    place.write("a.c", "int a;\n");
    place.quietly("fakeroot \"$W\" gcc -c a.c -o a.o && fakeroot \"$W\" gcc -c a.c -o b.o && cmp a.o b.o");
    assert_eq!(place.hits(), 1);
    // A library that is loaded into the compiler may make it another one.
    let log =
        "export ZCCACHE_WRAP_LOG=log; LD_PRELOAD=/nonexistent/p.so \"$W\" gcc -c a.c -o a.o 2>/dev/null";
    place.quietly(&format!("{log}; grep -q '\"argument\":\"LD_PRELOAD\"' log"));
}

#[test]
fn signals_that_the_starter_ignores_or_blocks_change_nothing() {
    let _watchdog = watchdog(3 * SOON);
    for option in ["--ignore-signal=CHLD", "--block-signal=TERM --block-signal=INT --block-signal=CHLD"] {
        let place = Place::new();
        if !has_option(&place, option) {
            continue;
        }
        place.write("a.c", "int a;\n");
        place.quietly(&format!("env {option} \"$W\" gcc -c a.c && rm a.o && env {option} \"$W\" gcc -c a.c"));
        assert_eq!(place.hits(), 1, "{option}");
        let pid = support::json(&place.0, &["start"]).1["pid"].as_u64().expect("a daemon answers");
        place.quietly(&format!("kill -TERM {pid}"));
        eventually(SOON, "SIGTERM ends the daemon", || !place.is_up());
    }
}
