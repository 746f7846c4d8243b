//! Real compilers: what the cache leaves is what they leave.
#![cfg(unix)]

mod inputs;
mod support;

use run_cache::NotKept;
use support::{Bench, End, has};

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write(
        "a.c",
        "#include \"h.h\"\n#include <stdio.h>\nint f(int x) { return printf(\"%d\", x + H); }\n",
    );
    bench.write("inc/h.h", "#define H 1\n");
    bench
}

/// Arguments of real builds, each with what the compiler makes of it.
#[test]
fn what_real_builds_pass_is_cached() {
    for compiler in ["gcc", "clang"] {
        if !has(compiler) {
            continue;
        }
        let mut bench = bench();
        for flags in [
            "",
            "-O2 -g -Wall -Wextra",
            "-MD",
            "-MMD",
            "-MD -MF dep/x.dep -MP -MT t",
            "-MMD -MP -MFy.d",
            "-Wp,-MD,z.d",
            "-Wp,-MMD,z.d",
            "-Wp,-D_FORTIFY_SOURCE=2 -O1",
            "-Wa,--noexecstack",
            "-march=native",
            "-fsanitize=address",
            "--coverage -frandom-seed=1",
            "-g -gsplit-dwarf",
            "-gz -g",
            "-grecord-gcc-switches -g",
            "-fno-lto",
            "-fno-ident",
            "-fno-builtin-memset",
            "-finstrument-functions",
            "-fstack-usage",
            "-imacros inc/h.h",
            "-include inc/h.h",
            "-L/usr/lib",
            "-B/usr/bin",
            "-xc",
            "-pthread -fPIC -fvisibility=hidden",
            "-flto -frandom-seed=1",
            "-ftree-loop-distribute-patterns",
        ] {
            if compiler == "clang"
                && matches!(flags, "-ftree-loop-distribute-patterns" | "-grecord-gcc-switches -g")
            {
                continue;
            }
            std::fs::create_dir_all(bench.at("dep")).unwrap();
            bench.cached(&format!("{compiler} {flags} -Iinc -c a.c -o a.o"));
        }
    }
}

#[test]
fn a_header_that_changes_or_newly_comes_first_is_seen() {
    for compiler in ["gcc", "clang"] {
        if !has(compiler) {
            continue;
        }
        let mut bench = bench();
        std::fs::create_dir(bench.at("first")).unwrap();
        let line = format!("{compiler} -Ifirst -Iinc -MD -c a.c -o a.o");
        bench.cached(&line);
        bench.write("inc/h.h", "#define H 2\n");
        bench.cached(&line);
        bench.write("first/h.h", "#define H 3\n");
        bench.cached(&line);
        bench.write("h.h", "#define H 4\n");
        bench.cached(&line);
        bench.remove("h.h");
        assert_eq!(bench.same(&line), End::Hit, "the one before");
        bench.remove("first/h.h");
        assert_eq!(bench.same(&line), End::Hit);
        bench.write("inc/h.h", "#define H 1\n");
        assert_eq!(bench.same(&line), End::Hit);
    }
}

#[test]
fn what_has_include_asks_for_is_an_input() {
    for compiler in ["gcc", "clang"] {
        if !has(compiler) {
            continue;
        }
        let mut bench = bench();
        bench.write("b.c", "#if __has_include(\"opt.h\")\n#include \"opt.h\"\n#else\nint o = 1;\n#endif\n");
        bench.write("c.c", "#if __has_include(\"only_asked.h\")\nint y;\n#endif\nint x;\n");
        for (source, header) in [("b.c", "opt.h"), ("c.c", "only_asked.h")] {
            let line = format!("{compiler} -MD -MF d.d -c {source} -o b.o");
            bench.cached(&line);
            bench.write(header, "int o = 2;\n");
            bench.cached(&line);
            bench.remove(header);
            assert_eq!(bench.same(&line), End::Hit);
        }
    }
}

#[test]
fn an_input_that_changes_while_the_compiler_runs_keeps_the_result_out() {
    type Change = fn(&std::path::Path);
    let changes: [(&str, Change); 4] = [
        ("another text and back", |dir| {
            std::fs::write(dir.join("inc/h.h"), "#define H 9\n").unwrap();
            std::fs::write(dir.join("inc/h.h"), "#define H 1\n").unwrap();
        }),
        ("another file and back", |dir| {
            std::fs::rename(dir.join("inc/h.h"), dir.join("inc/kept")).unwrap();
            std::fs::rename(dir.join("inc/kept"), dir.join("inc/h.h")).unwrap();
        }),
        ("another directory and back", |dir| {
            std::fs::rename(dir.join("inc"), dir.join("kept")).unwrap();
            std::fs::rename(dir.join("kept"), dir.join("inc")).unwrap();
        }),
        ("the source", |dir| {
            let text = std::fs::read(dir.join("a.c")).unwrap();
            std::fs::write(dir.join("a.c"), text).unwrap();
        }),
    ];
    for (what, change) in changes {
        let mut bench = bench();
        bench.meanwhile = Some(change);
        let end = bench.compile("gcc -Iinc -c a.c -o a.o");
        assert_eq!(end, End::NotKept(NotKept::InputChanged), "{what}");
        assert_eq!(bench.compile("gcc -Iinc -c a.c -o a.o"), End::Kept, "{what}");
    }
}

#[test]
fn two_directories_share_results_unless_the_object_tells_them() {
    for compiler in ["gcc", "clang"] {
        if !has(compiler) {
            continue;
        }
        let mut bench = Bench::new();
        for dir in ["one", "two"] {
            bench.write(&format!("{dir}/a.c"), "#include \"inc/h.h\"\nint f(void) { return H; }\n");
            bench.write(&format!("{dir}/inc/h.h"), "#define H 1\n");
        }
        let line = format!("{compiler} -O2 -MD -c a.c -o a.o");
        assert_eq!(bench.same_in("one", &line), End::Kept);
        assert_eq!(bench.same_in("two", &line), End::Hit);
        let line = format!("{compiler} -g -c a.c -o a.o");
        assert_eq!(bench.same_in("one", &line), End::Kept);
        assert_eq!(bench.same_in("two", &line), End::Kept);
        let map = |dir: &str, bench: &Bench| {
            format!("{compiler} -g -ffile-prefix-map={}=. -c a.c -o a.o", bench.at(dir).display())
        };
        assert_eq!(bench.same_in("one", &map("one", &bench)), End::Kept);
        assert_eq!(bench.same_in("two", &map("two", &bench)), End::Hit);
    }
}
