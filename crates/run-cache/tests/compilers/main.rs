//! Real compilers: what the cache leaves is what they leave.
#![cfg(unix)]

mod definitions;
mod hidden;
mod inputs;
mod search;
mod support;
mod toolchain;

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
fn command_lines_of_real_builds_are_cached() {
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
fn the_operand_of_has_include_is_an_input() {
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

#[test]
fn a_base_directory_makes_objects_with_debug_information_shareable() {
    for compiler in ["gcc", "clang"] {
        if !has(compiler) {
            continue;
        }
        let mut bench = Bench::new();
        for dir in ["one", "two"] {
            bench.write(&format!("{dir}/src/a.c"), "#include <h.h>\nconst char *f = __FILE__ NAME;\n");
            bench.write(&format!("{dir}/inc/h.h"), "#define NAME __FILE__\n");
        }
        let line = |dir: &str, bench: &Bench| {
            let root = bench.at(dir);
            format!("{compiler} -g -I{0}/inc -MD -MT a.o -c {0}/src/a.c -o a.o", root.display())
        };
        let mut made = Vec::new();
        for (dir, expected) in [("one", End::Kept), ("two", End::Hit)] {
            bench.base_dir = Some(bench.at(dir));
            let line = line(dir, &bench);
            assert_eq!(bench.compile_in(&format!("{dir}/src"), &line), expected, "{compiler}");
            let object = std::fs::read(bench.at(dir).join("src/a.o")).unwrap();
            let depfile = std::fs::read_to_string(bench.at(dir).join("src/a.d")).unwrap();
            let text = String::from_utf8_lossy(&object);
            assert!(!text.contains(bench.dir.path().to_str().unwrap()), "{compiler}: a name of the checkout");
            assert!(depfile.contains("../inc/h.h"), "{depfile}");
            made.push((object, depfile));
        }
        assert!(made[0] == made[1]);
        // Without it each checkout has its own.
        bench.base_dir = None;
        for dir in ["one", "two"] {
            let line = line(dir, &bench);
            assert_eq!(bench.same_in(&format!("{dir}/src"), &line), End::Kept, "{compiler}");
        }
    }
}

#[test]
fn places_of_outputs_end_as_the_compilers_leave_them() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
    for compiler in ["gcc", "clang"] {
        if !has(compiler) {
            continue;
        }
        let mut bench = bench();
        let line = format!("{compiler} -Iinc -MD -c a.c -o a.o");
        bench.cached(&line);
        // Prepares both places, compiles, and returns how they are afterwards.
        let after = |bench: &mut Bench, is_plain: bool, kind: &str| {
            for name in ["a.o", "a.d", "other.o", "other.d"] {
                let _ = std::fs::remove_file(bench.at(name));
            }
            for (name, other) in [("a.o", "other.o"), ("a.d", "other.d")] {
                std::fs::write(bench.at(other), "old").unwrap();
                match kind {
                    "link" => symlink(other, bench.at(name)).unwrap(),
                    "name" => std::fs::hard_link(bench.at(other), bench.at(name)).unwrap(),
                    "mode" => {
                        std::fs::write(bench.at(name), "old").unwrap();
                        std::fs::set_permissions(bench.at(name), std::fs::Permissions::from_mode(0o600))
                            .unwrap();
                    }
                    _ => unreachable!(),
                }
            }
            if is_plain {
                bench.plain("", &line);
            } else {
                assert_eq!(bench.compile(&line), End::Hit, "{kind}");
            }
            ["a.o", "a.d", "other.o", "other.d"].map(|name| {
                let metadata = std::fs::symlink_metadata(bench.at(name)).unwrap();
                (
                    metadata.is_symlink(),
                    metadata.mode(),
                    metadata.nlink(),
                    std::fs::read(bench.at(name)).unwrap(),
                )
            })
        };
        for kind in ["link", "name", "mode"] {
            let wanted = after(&mut bench, true, kind);
            let made = after(&mut bench, false, kind);
            assert!(made == wanted, "{compiler}: {kind}");
        }
    }
}

#[test]
fn two_runs_that_write_to_one_output_are_both_not_kept() {
    let mut bench = bench();
    bench.write("b.c", "int other;\n");
    let (first, second) = (bench.call("", "gcc -Iinc -c a.c -o x.o"), bench.call("", "gcc -c b.c -o x.o"));
    let mut misses = Vec::new();
    for call in [&first, &second] {
        misses.push((call, bench.miss(call)));
    }
    for (call, miss) in misses {
        let ran = support::run(call, miss.args(), false).unwrap();
        assert_eq!(miss.finish(&ran, &mut bench.shelf), Err(NotKept::OutputShared));
    }
    assert_eq!(bench.compile("gcc -c b.c -o x.o"), End::Kept);
}
