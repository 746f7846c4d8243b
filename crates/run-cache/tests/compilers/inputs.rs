//! Inputs that no argument names: each of them changes the result, and none may be missed.

use std::fs;

use run_cache::{NotKept, Reason};

use crate::support::{Bench, End, has};

/// Compilers that are here.
pub(crate) fn compilers() -> Vec<&'static str> {
    ["gcc", "clang"].into_iter().filter(|name| has(name)).collect()
}

#[test]
fn files_that_only_the_assembler_reads_are_inputs_wherever_they_hide() {
    for (source, text) in [
        ("s.c", "__asm__(\".incbin \\\"data\\\"\");\n"),
        ("j.c", "__asm__(\".inc\" \"bin \\\"data\\\"\");\n"),
        ("m.c", "#define A(x) __asm__(x)\n#define B \".inc\"\nA(B \"bin \\\"data\\\"\");\n"),
        ("n.c", "int x __attribute__((section(\".d,\\\"aw\\\"; .incbin \\\"data\\\" #\"))) = 1;\n"),
        ("a.s", ".data\n.incbin \"data\"\n"),
        ("u.s", ".macro f x\n.inc\\x \"data\"\n.endm\nf bin\n"),
        ("a.S", "#define I .incbin\n.data\nI \"data\"\n"),
    ] {
        for compiler in compilers() {
            let mut bench = Bench::new();
            bench.write("data", "one");
            bench.write(source, text);
            let line = format!("{compiler} -c {source} -o x.o");
            if compiler == "clang" {
                if matches!(source, "n.c" | "m.c") {
                    continue;
                }
                assert_eq!(bench.same(&line), End::NotKept(NotKept::HiddenInput), "{source}");
                continue;
            }
            bench.cached(&line);
            bench.write("data", "two");
            bench.cached(&line);
            bench.write("data", "one");
            assert_eq!(bench.same(&line), End::Hit, "{source}");
        }
    }
}

#[test]
fn a_file_that_newly_comes_first_for_the_assembler_is_seen() {
    let mut bench = Bench::new();
    bench.write("dir/data", "one");
    fs::create_dir(bench.at("first")).unwrap();
    bench.write("a.s", ".data\n.incbin \"data\"\n.include \"inc.s\"\n");
    bench.write("dir/inc.s", ".byte 1\n");
    let line = "gcc -Ifirst -Idir -c a.s -o x.o";
    bench.cached(line);
    bench.write("first/inc.s", ".byte 2\n");
    bench.cached(line);
    bench.write("data", "two");
    bench.cached(line);
}

#[test]
fn assembler_sources_are_cached() {
    for compiler in compilers() {
        let mut bench = Bench::new();
        bench.write("a.S", "# a comment about include files\n#include \"h.h\"\n.data\n.byte V\n");
        bench.write("b.s", "# include nothing\n.data\n.byte 1\n");
        bench.write("h.h", "#define V 1\n");
        bench.cached(&format!("{compiler} -MD -c a.S"));
        bench.cached(&format!("{compiler} -c b.s"));
        bench.cached(&format!("{compiler} -g -pipe -c a.S -o x.o"));
        bench.write("h.h", "#define V 2\n");
        bench.cached(&format!("{compiler} -MD -c a.S"));
    }
}

#[test]
fn headers_of_the_system_are_inputs_where_the_depfile_leaves_them_out() {
    for compiler in compilers() {
        let mut bench = Bench::new();
        bench.write("a.c", "#include \"u.h\"\nint x = V;\n");
        bench.write("u.h", "#include <s.h>\n");
        bench.write("sys/s.h", "#include \"deep.h\"\n");
        bench.write("sys/deep.h", "#define V 1\n");
        for wish in ["-MMD", "-Wp,-MMD,a.d"] {
            let line = format!("{compiler} -isystem sys {wish} -c a.c -o a.o");
            bench.cached(&line);
            bench.write("sys/deep.h", "#define V 2\n");
            bench.cached(&line);
            bench.write("sys/deep.h", "#define V 1\n");
            assert_eq!(bench.same(&line), End::Hit);
            bench.write("s.h", "#define V 7\n");
            let line = format!("{compiler} -I. -isystem sys {wish} -c a.c -o a.o");
            bench.cached(&line);
            bench.remove("s.h");
            bench.cached(&line);
        }
    }
}

#[test]
fn a_name_that_a_macro_makes_up_is_an_input() {
    for compiler in compilers() {
        let mut bench = Bench::new();
        bench.write("a.c", "#define H <sub/h.h>\n#include H\nint x = V;\n");
        bench.write("inc/sub/h.h", "#define V 1\n");
        fs::create_dir_all(bench.at("first/sub")).unwrap();
        let line = format!("{compiler} -Ifirst -Iinc -MD -c a.c -o a.o");
        bench.cached(&line);
        bench.write("first/sub/h.h", "#define V 2\n");
        bench.cached(&line);
        bench.write("first/sub/h.h", "#define V 3\n");
        bench.cached(&line);
        bench.write("b.c", "#define H <opt.h>\n#if __has_include(H)\nint y;\n#endif\nint x;\n");
        let line = format!("{compiler} -c b.c -o b.o");
        assert_eq!(bench.same(&line), End::NotKept(NotKept::ComputedInclude));
    }
}

#[test]
fn an_alias_of_has_include_records_its_target() {
    for compiler in compilers() {
        let mut bench = Bench::new();
        // As xxhash.h does it.
        let asks = "#ifdef __has_include\n# define ASK __has_include\n#else\n# define ASK(x) 0\n#endif\n";
        bench.write("a.c", &format!("{asks}#if 1 && ASK(<opt.h>)\nint y;\n#endif\nint x;\n"));
        fs::create_dir_all(bench.at("inc")).unwrap();
        let line = format!("{compiler} -Iinc -MMD -c a.c -o a.o");
        bench.cached(&line);
        bench.write("inc/opt.h", "");
        bench.cached(&line);
        // As fmt does it: the macro hands its argument on, and other files ask by it.
        for define in [asks, "#ifdef __has_include\n# define ASK(x) __has_include(x)\n#endif\n"] {
            bench.write("ask.h", define);
            bench.write(
                "b.c",
                "#include \"ask.h\"\n#if ASK(\"no.h\") || ASK(<no.h>)\nint y;\n#endif\nint x;\n",
            );
            let line = format!("{compiler} -Iinc -c b.c -o b.o");
            bench.cached(&line);
            for place in ["inc/no.h", "no.h"] {
                bench.write(place, "");
                bench.cached(&line);
                bench.remove(place);
                assert_eq!(bench.same(&line), End::Hit);
            }
            bench.write("c.c", "#include \"ask.h\"\n#define N <no.h>\n#if ASK(N)\nint y;\n#endif\nint x;\n");
            assert_eq!(bench.same(&format!("{compiler} -c c.c")), End::NotKept(NotKept::ComputedInclude));
        }
    }
}

#[test]
fn a_forced_header_and_one_through_a_link_are_inputs() {
    for compiler in compilers() {
        let mut bench = Bench::new();
        bench.write("a.c", "#include \"l.h\"\nint x = V + L;\n");
        bench.write("inc/f.h", "#define V 1\n");
        bench.write("one.h", "#define L 1\n");
        bench.write("two.h", "#define L 2\n");
        std::os::unix::fs::symlink("one.h", bench.at("l.h")).unwrap();
        bench.settle(&bench.at("l.h"));
        let line = format!("{compiler} -include f.h -Iinc -c a.c -o a.o");
        bench.cached(&line);
        bench.write("f.h", "#define V 2\n");
        bench.cached(&line);
        fs::remove_file(bench.at("l.h")).unwrap();
        std::os::unix::fs::symlink("two.h", bench.at("l.h")).unwrap();
        bench.settle(&bench.at("l.h"));
        bench.cached(&line);
    }
}

#[test]
fn precompiled_headers_are_made_and_used_from_the_cache() {
    let mut bench = Bench::new();
    bench.write("p.h", "#include \"deep.h\"\nstatic int p = V;\n");
    bench.write("deep.h", "#define V 1\n");
    bench.write("a.c", "int q(void) { return p; }\n");
    let line = "gcc -Winvalid-pch -include p.h -c a.c -o a.o";
    bench.cached(line);
    let make = "gcc -x c-header p.h -o p.h.gch";
    assert_eq!(bench.compile(make), End::Kept);
    bench.settle(&bench.at("p.h.gch"));
    bench.cached(line);
    bench.write("a.c", "int q(void) { return p + 1; }\n");
    bench.cached(line);
    let made = fs::read(bench.at("p.h.gch")).unwrap();
    bench.remove("p.h.gch");
    assert_eq!(bench.compile(make), End::Hit);
    assert!(made == fs::read(bench.at("p.h.gch")).unwrap());
    bench.settle(&bench.at("p.h.gch"));
    assert_eq!(bench.same(line), End::Hit);
    bench.write("deep.h", "#define V 2\n");
    assert_eq!(bench.compile(make), End::Kept);
}

#[test]
fn a_precompiled_header_of_a_header_that_is_forced_is_kept() {
    // As CMake makes them: an empty source, and the header by an argument.
    let mut bench = Bench::new();
    bench.write("d/pre.hxx", "#include \"deep.h\"\n#define P V\n");
    bench.write("d/deep.h", "#define V 1\n");
    bench.write("d/pre.hxx.cxx", "");
    bench.write("a.cc", "int p = P;\n");
    let make = "g++ -Winvalid-pch -x c++-header -include d/pre.hxx -MD -MT pre -MF pre.d -o d/pre.hxx.gch -c \
        d/pre.hxx.cxx";
    let line = "g++ -Winvalid-pch -include d/pre.hxx -c a.cc -o a.o";
    for version in ["#define V 2\n", "#define V 3\n"] {
        assert_eq!(bench.compile(make), End::Kept);
        let made = fs::read(bench.at("d/pre.hxx.gch")).unwrap();
        bench.settle(&bench.at("d/pre.hxx.gch"));
        bench.cached(line);
        for _ in 0..2 {
            // Over the earlier file, and where there is none.
            assert_eq!(bench.compile(make), End::Hit);
            assert!(made == fs::read(bench.at("d/pre.hxx.gch")).unwrap());
            bench.settle(&bench.at("d/pre.hxx.gch"));
            assert_eq!(bench.same(line), End::Hit);
            bench.remove("d/pre.hxx.gch");
        }
        bench.write("d/deep.h", version);
    }
}

#[test]
fn a_source_that_tells_the_time_is_not_kept() {
    for compiler in compilers() {
        for text in [
            "const char *t = __TIME__;\n",
            "const char *d = __DATE__;\n",
            "#define P(a) __##a##__\nconst char *t = P(TIME);\n",
        ] {
            let mut bench = Bench::new();
            bench.write("a.c", text);
            let end = bench.compile(&format!("{compiler} -c a.c"));
            assert_eq!(end, End::NotKept(NotKept::Time), "{text}");
        }
    }
    let mut bench = Bench::new();
    bench.write("a.c", "const char *t = __DATE__ __TIME__ __TIMESTAMP__;\n");
    bench.env.push(("SOURCE_DATE_EPOCH".into(), "1000".into()));
    bench.cached("gcc -c a.c");
    bench.env.last_mut().unwrap().1 = "100000000".into();
    bench.cached("gcc -c a.c");
    bench.env.push(("TZ".into(), "Asia/Tokyo".into()));
    bench.cached("gcc -c a.c");
    let file = fs::File::options().write(true).open(bench.at("a.c")).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(981_173_106))
        .unwrap();
    bench.settle(&bench.at("a.c"));
    bench.cached("gcc -c a.c");
}

#[test]
fn an_output_that_is_an_input_is_left_to_the_compiler() {
    let mut bench = Bench::new();
    bench.write("a.c", "#include \"h.h\"\nint a;\n");
    bench.write("h.h", "");
    let is_refused = |end: End| {
        matches!(&end, End::NotCacheable(why) if why.reason == Reason::OutputIsInput)
            || end == End::NotKept(NotKept::OutputIsInput)
            || end == End::NotKept(NotKept::InputChanged)
            || end == End::NotKept(NotKept::Failed)
    };
    let end = bench.compile("gcc -c a.c -o a.c");
    assert!(is_refused(end.clone()), "{end:?}");
    bench.write("a.c", "#include \"h.h\"\nint a;\n");
    let end = bench.compile("gcc -MD -MF h.h -c a.c -o a.o");
    assert!(is_refused(end.clone()), "{end:?}");
    // The output of a hit is a link to an input.
    bench.write("h.h", "");
    assert_eq!(bench.compile("gcc -c a.c -o b.o"), End::Kept);
    fs::remove_file(bench.at("b.o")).unwrap();
    fs::hard_link(bench.at("h.h"), bench.at("b.o")).unwrap();
    let end = bench.compile("gcc -c a.c -o b.o");
    assert!(is_refused(end.clone()), "{end:?}");
}

#[test]
fn messages_come_back_in_the_language_and_colour_of_the_caller() {
    for compiler in compilers() {
        let mut bench = Bench::new();
        bench.write("a.c", "int f(void) { int unused; return 0; }\n");
        bench.write("quiet.c", "int f(void) { return 0; }\n");
        let line = |source: &str| format!("{compiler} -Wall -c {source} -o a.o");
        bench.cached(&line("a.c"));
        bench.cached(&line("quiet.c"));
        bench.env.push(("LC_ALL".into(), "C".into()));
        assert_eq!(bench.same(&line("quiet.c")), End::Hit, "nothing was printed");
        bench.cached(&line("a.c"));
        bench.colour = true;
        assert_eq!(bench.compile(&line("a.c")), End::Kept);
        assert!(bench.said.contains('\x1b'), "{}", bench.said);
        assert_eq!(bench.compile(&line("a.c")), End::Hit);
        assert!(bench.said.contains('\x1b'), "{}", bench.said);
        bench.colour = false;
        assert_eq!(bench.same(&line("a.c")), End::Hit);
    }
}

#[test]
fn a_message_that_quotes_a_file_named_by_a_line_directive_is_not_kept() {
    let mut bench = Bench::new();
    bench.write("y.y", "first line\nsecond\n");
    bench.write("a.c", "#line 1 \"y.y\"\nint f(void) { int unused; return 0; }\n");
    assert_eq!(bench.same("gcc -Wall -c a.c"), End::NotKept(NotKept::LineNames));
    bench.cached("gcc -c a.c");
}

#[test]
fn standard_input_by_any_name_is_left_to_the_compiler() {
    let mut bench = Bench::new();
    bench.write("a.c", "int a;\n");
    bench.write("rsp", "-x c -c - -o o.o\n");
    bench.write("outer", "@rsp\n");
    bench.write("i.c", "#include \"/dev/stdin\"\n");
    for line in [
        "gcc -c -x c - -o a.o",
        "gcc @rsp",
        "gcc @outer",
        "gcc -x c -c /dev/stdin -o a.o",
        "gcc -include /dev/fd/0 -c a.c",
        "gcc -c a.c -I/proc/self/cwd",
        "gcc @/dev/stdin",
    ] {
        let end = bench.compile(line);
        assert!(matches!(end, End::NotCacheable(_)), "{line}: {end:?}");
    }
    assert_eq!(bench.compile("gcc -c i.c"), End::NotKept(NotKept::InputUnreadable));
    // Planned only: the assembler of root would replace the link /dev/stdout of this machine by a file.
    let call = bench.call("", "gcc -c a.c -o /dev/stdout");
    assert!(run_cache::plan(&call).is_err());
}

#[test]
fn a_second_name_of_a_header_and_a_copy_have_different_results() {
    for compiler in compilers() {
        let mut bench = Bench::new();
        bench.write("x.h", "#pragma once\nstatic int n = __COUNTER__;\n");
        bench.write(
            "a.c",
            "#include \"x.h\"\n#include \"y.h\"\nint m = __COUNTER__;\nint k(void) { return n; }\n",
        );
        let line = format!("{compiler} -MD -c a.c -o a.o");
        for _ in 0..2 {
            fs::hard_link(bench.at("x.h"), bench.at("y.h")).unwrap();
            bench.settle(&bench.at("y.h"));
            let end = bench.same(&line);
            assert!(matches!(end, End::Kept | End::Hit), "{end:?}");
            fs::remove_file(bench.at("y.h")).unwrap();
            fs::copy(bench.at("x.h"), bench.at("y.h")).unwrap();
            bench.settle(&bench.at("y.h"));
            let end = bench.same(&line);
            assert!(matches!(end, End::Kept | End::Hit | End::NotKept(NotKept::Failed)), "{end:?}");
            fs::remove_file(bench.at("y.h")).unwrap();
        }
    }
}

#[test]
fn one_header_by_two_names_may_have_another_time() {
    let mut bench = Bench::new();
    bench.write("a.c", "#include \"x.h\"\n#include <x.h>\nint k(void) { return n; }\n");
    for second in [1_000_000, 2_000_000] {
        bench.write("x.h", "#pragma once\nstatic int n = 1;\n");
        let file = fs::File::options().write(true).open(bench.at("x.h")).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(second))
            .unwrap();
        bench.settle(&bench.at("x.h"));
        let end = bench.same("gcc -I. -c a.c -o a.o");
        assert_eq!(end, if second == 1_000_000 { End::Kept } else { End::Hit });
    }
}

#[test]
fn a_copy_with_another_second_of_change_is_another_header() {
    let mut bench = Bench::new();
    let text = "#pragma once\nstatic int n = __COUNTER__;\n";
    bench.write("a.c", "#include \"x.h\"\n#include \"y.h\"\nint k(void) { return n; }\n");
    let second = |bench: &Bench, name: &str, second: u64| {
        bench.write(name, text);
        let file = fs::File::options().write(true).open(bench.at(name)).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(second))
            .unwrap();
        bench.settle(&bench.at(name));
    };
    second(&bench, "x.h", 1_000_000);
    second(&bench, "y.h", 1_000_000);
    bench.cached("gcc -MD -c a.c -o a.o");
    second(&bench, "y.h", 1_000_001);
    assert_eq!(bench.same("gcc -MD -c a.c -o a.o"), End::NotKept(NotKept::Failed));
    second(&bench, "y.h", 1_000_000);
    assert_eq!(bench.same("gcc -MD -c a.c -o a.o"), End::Hit);
}
