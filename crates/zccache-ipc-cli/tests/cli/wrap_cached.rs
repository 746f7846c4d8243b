//! `wrap` with a daemon: what it makes is what the compiler makes, and comes from the store the second time.

use std::fs;

use testkit::watchdog;

use crate::support::SOON;
use crate::wrap_place::{Place, compilers};

#[test]
fn flags_of_real_builds_are_cached() {
    let _watchdog = watchdog(4 * SOON);
    let place = Place::new();
    place.write("a.c", "int f(void) { return 1; }\n");
    place.write("m.h", "#define M 1\n");
    let mut missed = Vec::new();
    for compiler in compilers(&place) {
        for flag in [
            "",
            "-Wa,--noexecstack",
            "-Wp,-MD,a.d",
            "-Wp,-MMD,a.d",
            "-Wp,-D_FORTIFY_SOURCE=2 -O2",
            "-march=native",
            "-fsanitize=address",
            "-gsplit-dwarf -g",
            "-gz -g",
            "-grecord-gcc-switches",
            "-fno-lto",
            "-finstrument-functions",
            "-fstack-usage",
            "-imacros m.h",
            "-L/usr/lib",
            "-xc",
            "-MD -MFa.d",
            "-MMD -MP -MT x",
        ] {
            // clang would record the names of the wrapper's own files, and is not cached with it.
            if flag == "-grecord-gcc-switches" && compiler.contains("clang") {
                continue;
            }
            let files = ["a.o", "a.d", "a.dwo", "a.su", "a.gcno"];
            if place.same(compiler, &format!("{flag} -c a.c -o a.o"), &files) != 1 {
                missed.push(format!("{compiler} {flag}"));
            }
        }
    }
    assert_eq!(missed, Vec::<String>::new());
}

#[test]
fn sources_that_include_the_standard_library_are_cached() {
    let _watchdog = watchdog(4 * SOON);
    let place = Place::new();
    place.write(
        "a.cc",
        "#include <functional>\n#include <map>\n#include <string>\nstd::map<int, std::string> m;\n",
    );
    place.write("a.c", "#include <math.h>\n#include <stdio.h>\n#include <stdlib.h>\nint x;\n");
    let mut missed = Vec::new();
    for (compiler, source) in [("gcc", "a.c"), ("clang", "a.c"), ("g++", "a.cc"), ("clang++", "a.cc")] {
        for depfile in ["-MD", "-MMD", ""] {
            let call = format!("{depfile} -c {source} -o a.o");
            if place.has(compiler) && place.same(compiler, &call, &["a.o", "a.d"]) != 1 {
                missed.push(format!("{compiler} {call}"));
            }
        }
    }
    assert_eq!(missed, Vec::<String>::new());
}

#[test]
fn depfiles_go_where_the_compiler_puts_them_and_name_the_same() {
    let _watchdog = watchdog(4 * SOON);
    let place = Place::new();
    for dir in ["a", "b"] {
        place.write(&format!("{dir}/s.c"), "#include \"h.h\"\nint x;\n");
        place.write(&format!("{dir}/h.h"), "int h;\n");
    }
    let files =
        ["a.o", "a.d", "b.o", "b.d", "b/out.o", "b/out.d", "s.o", "s.d", "x.dep", "q.obj", "q.d", "a.b"];
    for compiler in compilers(&place) {
        for line in [
            "-MD -c a/s.c -o a.o",
            "-MD -c b/s.c -o b.o",
            "-MD -c a/s.c -o b/out.o",
            "-MMD -MP -c a/s.c",
            "-MMD -c b/s.c",
            "-MD -MF x.dep -c a/s.c -o q.obj",
            "-MD -MT t -MQ 'u$v' -c b/s.c -o b.o",
        ] {
            assert_eq!(place.same(compiler, line, &files), 1, "{compiler} {line}");
        }
    }
}

#[test]
fn a_header_that_newly_comes_first_or_goes_is_seen() {
    let _watchdog = watchdog(4 * SOON);
    let place = Place::new();
    fs::create_dir(place.dir().join("a")).unwrap();
    place.write("b/h.h", "#define H 1\n");
    place.write("m.c", "#include \"h.h\"\nint v = H;\n");
    place.write("o.c", "#if __has_include(\"opt.h\")\n#include \"opt.h\"\n#else\nint o = 1;\n#endif\n");
    for compiler in compilers(&place) {
        let check = |when: &str| {
            for source in ["m", "o"] {
                let line = format!("-Ia -Ib -MD -MF d -c {source}.c -o x.o");
                let hits = place.same(compiler, &line, &["x.o", "d"]);
                assert!(hits >= 1, "{compiler}: {hits} hits {when}");
            }
        };
        check("at first");
        place.write("a/h.h", "#define H 2\n");
        place.write("opt.h", "int o = 2;\n");
        check("with new headers");
        place.write("opt.h", "int o = 3; // longer\n");
        check("with a changed header");
        fs::remove_file(place.dir().join("a/h.h")).unwrap();
        fs::remove_file(place.dir().join("opt.h")).unwrap();
        check("without them");
    }
}

#[test]
fn a_second_directory_shares_results_without_its_path() {
    let _watchdog = watchdog(2 * SOON);
    let place = Place::new();
    for compiler in compilers(&place) {
        for dir in ["1", "2"] {
            place.write(&format!("{dir}/a.c"), "int f(void) { return 1; }\n");
            place.quietly(&format!("cd {dir} && \"$W\" {compiler} -c a.c"));
        }
        assert_eq!(
            fs::read(place.dir().join("1/a.o")).unwrap(),
            fs::read(place.dir().join("2/a.o")).unwrap()
        );
    }
    assert_eq!(place.hits(), compilers(&place).len() as u64);
}

#[test]
fn an_object_larger_than_a_frame_is_found_again() {
    let _watchdog = watchdog(4 * SOON);
    let place = Place::new();
    // Numbers that do not compress to less than a part.
    place.write("gen.sh", "head -c 20000000 /dev/urandom > blob\n");
    place.quietly("sh gen.sh");
    place.write("a.S", ".data\n.incbin \"blob\"\n");
    place.quietly(
        "\"$W\" gcc -c a.S -o a.o && cp a.o first && rm a.o && \"$W\" gcc -c a.S -o a.o && cmp a.o first",
    );
    assert_eq!(place.hits(), 1);
}

#[test]
fn a_client_in_another_mount_namespace_gets_the_object_of_its_own_file() {
    let _watchdog = watchdog(2 * SOON);
    let place = Place::new();
    let inside = "mount -t tmpfs t w && cd w && echo 'int inside;' > a.c && \"$W\" gcc -c a.c && nm a.o";
    place.write("w/a.c", "int outside;\n");
    if place.sh("unshare -m true").0 != 0 {
        return;
    }
    place.quietly("cd w && \"$W\" gcc -c a.c");
    let (code, said) = place.sh(&format!("unshare -m sh -c '{}'", inside.replace('\'', "'\\''")));
    assert!(code == 0 && said.ends_with(" inside\n"), "{said}");
    let (_, said) = place.sh("nm w/a.o");
    assert!(said.ends_with(" outside\n"), "{said}");
}

#[test]
fn an_output_that_is_the_source_is_left_to_the_compiler() {
    let _watchdog = watchdog(2 * SOON);
    let place = Place::new();
    place.write("a.c", "int a = 1;\n");
    place.quietly("\"$W\" gcc -c a.c -o a.o; ln a.c b.c; ln -s a.c c.c");
    for output in ["a.c", "./a.c", "b.c", "c.c"] {
        let direct = place.sh(&format!("gcc -c a.c -o {output}"));
        if fs::read(place.dir().join("a.c")).unwrap() != b"int a = 1;\n" {
            return; // another gcc, which writes over its source
        }
        assert_eq!(place.sh(&format!("\"$W\" gcc -c a.c -o {output}")), direct, "{output}");
        assert_eq!(fs::read(place.dir().join("a.c")).unwrap(), b"int a = 1;\n", "{output}");
    }
}

#[test]
fn an_assembler_that_newly_comes_first_on_path_is_used() {
    let _watchdog = watchdog(2 * SOON);
    let place = Place::new();
    place.write("a.c", "int f(void) { return 1; }\n");
    place.quietly("PATH=.:$PATH \"$W\" gcc -c a.c -o a.o");
    place.script(
        "as",
        "#!/bin/sh\nfor o in \"$@\"; do case $p in -o) out=$o;; esac; p=$o; done\n\
                        /usr/bin/as \"$@\"; objcopy --add-section .mine=/etc/hostname \"$out\"\n",
    );
    place.quietly("PATH=.:$PATH gcc -c a.c -o want.o; PATH=.:$PATH \"$W\" gcc -c a.c -o a.o; cmp a.o want.o");
}

#[test]
fn source_from_standard_input_or_a_descriptor_is_compiled() {
    let _watchdog = watchdog(4 * SOON);
    let place = Place::new();
    place.write("rsp", "-x c -c - -o o.o\n");
    place.write("outer", "@rsp\n");
    place.write("in.c", "int from_stdin(void) { return 1; }\n");
    place.write("inc.c", "#include \"/dev/stdin\"\n");
    for args in ["@rsp", "@outer", "-c inc.c -o o.o", "-x c -c /dev/fd/0 -o o.o"] {
        for line in [format!("\"$W\" gcc {args} < in.c"), format!("cat in.c | \"$W\" gcc {args}")] {
            let _ = fs::remove_file(place.dir().join("o.o"));
            place.quietly(&line);
            assert!(place.sh("nm o.o").1.contains("from_stdin"), "{line}");
        }
    }
    for line in [
        "\"$W\" gcc -x c -c /dev/fd/4 -o o.o 4<in.c",
        "\"$W\" gcc -x c -c /proc/self/fd/4 -o o.o 4<in.c",
        "\"$W\" gcc -c in.c -MD -MF /dev/fd/5 -o o.o 5>dep && grep -q in.c dep",
        "\"$W\" gcc -S in.c -o /dev/fd/5 5>asm && grep -q from_stdin asm",
        "\"$W\" gcc -include /dev/fd/4 -c in.c -o o.o 4<in.c 2>/dev/null; test $? = 1",
    ] {
        place.quietly(line);
    }
}

#[test]
fn a_hit_repeats_warnings_and_has_colours_only_on_a_terminal() {
    let _watchdog = watchdog(2 * SOON);
    let place = Place::new();
    place.write("a.c", "int main(void) { int unused; return 0; }\n");
    for compiler in compilers(&place) {
        assert_eq!(place.same(compiler, "-Wall -c a.c -o a.o", &["a.o"]), 1);
        if !place.has("script") {
            continue;
        }
        let line = format!("TERM=xterm script -qec '\"$W\" {compiler} -Wall -c a.c -o a.o' /dev/null");
        let terminal = [place.sh(&line), place.sh(&line)];
        assert!(terminal[0].1.contains("\u{1b}["), "{compiler}: {terminal:?}");
        assert_eq!(terminal[0], terminal[1]);
        assert!(!place.sh(&format!("\"$W\" {compiler} -Wall -c a.c")).1.contains('\u{1b}'));
    }
}
