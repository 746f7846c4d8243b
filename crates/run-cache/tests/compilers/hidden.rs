//! Inputs that a text hides from a reader of depfiles and of single lines.

use std::fs;

use run_cache::NotKept;

use crate::inputs::compilers;
use crate::support::{Bench, End};

#[test]
fn headers_that_count_as_the_systems_by_their_text_are_inputs_of_a_short_depfile() {
    for compiler in compilers() {
        for (a, u) in [
            ("#include \"u.h\"\nint x = V;\n", "#pragma GCC system_header\n#include \"v.h\"\n"),
            ("#include \"u.h\"\nint x = V;\n", "_Pragma(\"GCC system_header\")\n#include \"v.h\"\n"),
            ("#include \"u.h\"\nint x = V;\n", "#pragma GCC \\\n system_header\n#include \"v.h\"\n"),
            ("# 1 \"a.c\" 3\n#include \"v.h\"\nint x = V;\n", ""),
        ] {
            let mut bench = Bench::new();
            bench.write("a.c", a);
            bench.write("u.h", u);
            bench.write("v.h", "#define V 1\n");
            let line = format!("{compiler} -MMD -c a.c -o a.o");
            bench.cached(&line);
            bench.write("v.h", "#define V 2\n");
            bench.cached(&line);
        }
        let mut bench = Bench::new();
        bench.write("a.c", "#include \"v.h\"\nint x = V;\n");
        bench.write("s/v.h", "#define V 1\n");
        let line = format!("{compiler} -iquote s -isystem s -MMD -c a.c -o a.o");
        bench.cached(&line);
        bench.write("s/v.h", "#define V 2\n");
        bench.cached(&line);
    }
}

#[test]
fn a_computed_name_below_a_system_header_is_not_kept_with_a_short_depfile() {
    for compiler in compilers() {
        let mut bench = Bench::new();
        bench.write("a.c", "#include \"u.h\"\nint x = V;\n");
        bench.write("v.h", "#define V 1\n");
        bench.write("u.h", "#define H \"v.h\"\n#include H\n");
        let line = format!("{compiler} -nostdinc -MMD -c a.c -o a.o");
        bench.cached(&line);
        bench.write("u.h", "#pragma GCC system_header\n#define H \"v.h\"\n#include H\n");
        assert_eq!(bench.same(&line), End::NotKept(NotKept::ComputedInclude));
    }
}

#[test]
fn a_computed_name_is_found_however_its_directory_is_spelled() {
    for compiler in compilers() {
        for (line, first) in [
            ("-Ione -I./two -c sub/a.c -o a.o", "one/v.h"),
            ("-Ione -I.//two -c sub/a.c -o a.o", "one/v.h"),
            ("-Ione -I././two -c sub/a.c -o a.o", "one/v.h"),
            ("-I./one -Itwo -c ./sub/a.c -o a.o", "one/v.h"),
        ] {
            let mut bench = Bench::new();
            bench.write("sub/a.c", "#define H <v.h>\n#include H\nint x = V;\n");
            bench.write("two/v.h", "#define V 1\n");
            fs::create_dir(bench.at("one")).unwrap();
            let line = format!("{compiler} {line}");
            bench.cached(&line);
            bench.write(first, "#define V 2\n");
            bench.cached(&line);
        }
        let mut bench = Bench::new();
        bench.write("sub/a.c", "#include H\nint x = V;\n");
        bench.write("v.h", "#define V 1\n");
        let line = format!("{compiler} -DH=\"{}\" -c sub/a.c -o a.o", bench.at("v.h").display());
        bench.cached(&line);
    }
}

#[test]
fn a_computed_name_behind_a_link_that_gcc_prints_by_its_real_path_is_found() {
    let mut bench = Bench::new();
    let link = "a-link-with-a-name-that-is-longer-than-the-path-of-the-directory-that-it-leads-to-from-here";
    for (number, dir) in [(1, "1"), (2, "2")] {
        bench.write(&format!("{dir}/v.h"), &format!("#define V {number}\n"));
    }
    bench.write("a.c", "#define H <v.h>\n#include H\nint x = V;\n");
    let line = format!("gcc -isystem {} -MD -c a.c -o a.o", bench.at(link).display());
    for dir in ["1", "2"] {
        std::os::unix::fs::symlink(dir, bench.at(link)).unwrap();
        bench.settle(&bench.at(link));
        bench.cached(&line);
        bench.remove(link);
    }
}

#[test]
fn a_name_after_has_include_that_is_made_of_words_is_not_kept() {
    for compiler in compilers() {
        for (text, end) in [
            ("#define HAS(x) __has_include(<x>)\n#if HAS(v.h)\n", Some(NotKept::ComputedInclude)),
            ("#define HAS(d) __has_include(<d/v.h>)\n#if HAS(../one)\n", Some(NotKept::ComputedInclude)),
            ("#define V v.h\n#define HAS __has_include(<V>)\n#if HAS\n", Some(NotKept::ComputedInclude)),
            ("#define Q (<v.h>)\n#if __has_include Q\n", Some(NotKept::ComputedInclude)),
            ("#define HI __has_include (\n#if HI <v.h>)\n", Some(NotKept::ComputedInclude)),
            ("#define C(a, b) a##b\n#if C(__has_,include)(<v.h>)\n", Some(NotKept::ComputedInclude)),
            (
                "#define C(a, b) a##b\n#define D(a, b) C(a, b)\n#if D(__h, D(as_inc, lude))(<v.h>)\n",
                Some(NotKept::ComputedInclude),
            ),
            ("#define C(a, b, c) a##b##c\n#if C(__, has_, include)(<v.h>)\n", Some(NotKept::ComputedInclude)),
            ("#define C(x) struct has_##x { int i; }\n#if __has_include(<v.h>)\n", None),
            ("#define HAS __has_include\n#define V v.h\n#if HAS(<V>)\n", Some(NotKept::ComputedInclude)),
            ("#if __has\\\n_include(<v.h>)\n", None),
            ("#define HAS __has_include(<v.h>)\n#if HAS\n", None),
            ("#define HAS(x) __has_include(x)\n#if HAS(<v.h>)\n", None),
        ] {
            let mut bench = Bench::new();
            bench.write("a.c", &format!("{text}int x = 1;\n#else\nint x = 2;\n#endif\n"));
            fs::create_dir(bench.at("one")).unwrap();
            let line = format!("{compiler} -Ione -c a.c -o a.o");
            if let Some(why) = end {
                assert_eq!(bench.compile(&line), End::NotKept(why), "{text}");
                continue;
            }
            bench.cached(&line);
            bench.write("one/v.h", "");
            bench.cached(&line);
        }
    }
}

#[test]
fn a_directory_in_the_place_of_a_header_that_was_asked_for_is_seen() {
    for compiler in compilers() {
        let mut bench = Bench::new();
        bench.write("a.c", "#if __has_include(<v.h>)\nint x = 1;\n#else\nint x = 2;\n#endif\n");
        bench.write("one/v.h", "");
        let line = format!("{compiler} -Ione -c a.c -o a.o");
        bench.cached(&line);
        bench.remove("one/v.h");
        fs::create_dir(bench.at("one/v.h")).unwrap();
        bench.cached(&line);
    }
}

#[test]
fn a_header_that_was_asked_for_and_went_while_the_compiler_ran_is_no_missing_one() {
    for compiler in compilers() {
        for place in ["one/v.h", "v.h"] {
            let mut bench = Bench::new();
            bench.write("a.c", "#if __has_include(\"v.h\")\nint x = 1;\n#else\nint x = 2;\n#endif\n");
            fs::create_dir(bench.at("one")).unwrap();
            bench.write(place, "");
            let line = format!("{compiler} -Ione -c a.c -o a.o");
            bench.afterwards = Some(|dir| {
                let _ = fs::remove_file(dir.join("one/v.h"));
                let _ = fs::remove_file(dir.join("v.h"));
            });
            assert_eq!(bench.compile(&line), End::NotKept(NotKept::InputChanged), "{place}");
            bench.cached(&line);
        }
    }
}

#[test]
fn the_text_of_a_precompiled_header_is_searched() {
    for (header, source, why) in [
        ("#define NOW __TIME__\n", "const char t[] = NOW;\n", NotKept::Time),
        (
            "#define HAS __has_include(<V>)\n#define V v.h\n",
            "#if HAS\nint x;\n#endif\n",
            NotKept::ComputedInclude,
        ),
    ] {
        for include in ["p.h", "/p.h"] {
            let mut bench = Bench::new();
            bench.write("p.h", header);
            bench.write("a.c", source);
            bench.plain("", "gcc -x c-header p.h -o p.h.gch");
            bench.settle(&bench.at("p.h.gch"));
            let include = match include.strip_prefix('/') {
                Some(name) => bench.at(name).display().to_string(),
                None => include.to_owned(),
            };
            let line = format!("gcc -include {include} -MD -c a.c -o a.o");
            assert_eq!(bench.compile(&line), End::NotKept(why), "{header}");
        }
    }
    let mut bench = Bench::new();
    bench.write("p.h", "int p;\n");
    bench.write("a.c", "int x;\n");
    bench.plain("", "gcc -x c-header p.h -o p.h.gch");
    bench.settle(&bench.at("p.h.gch"));
    let line = "gcc -include p.h -MD -c a.c -o a.o";
    bench.cached(line);
    bench.write("p.h", "int p; // newer than what was made of it\n");
    assert_eq!(bench.same(line), End::NotKept(NotKept::InputUnknown));
    bench.remove("p.h");
    assert_eq!(bench.same(line), End::NotKept(NotKept::InputUnknown));
}

#[test]
fn the_time_in_another_spelling_is_not_kept() {
    for compiler in compilers() {
        for text in
            ["const char t[] = __TI\\\nME__;\n", "%:define P(a, b) a%:%:b\nconst char t[] = P(__TI, ME__);\n"]
        {
            let mut bench = Bench::new();
            bench.write("a.c", text);
            let end = bench.compile(&format!("{compiler} -c a.c"));
            assert_eq!(end, End::NotKept(NotKept::Time), "{text}");
        }
    }
}

#[test]
fn a_directive_that_is_put_together_for_the_assembler_of_clang_is_seen() {
    if !compilers().contains(&"clang") {
        eprintln!("left out: no clang");
        return;
    }
    for (source, text) in [
        ("a.S", "#define C(a,b) a##b\n.data\nC(.inc,bin) \"data\"\n"),
        ("a.S", ".data\n.inc\\\nbin \"data\"\n"),
        ("a.c", "#define A(x...) #x\nasm(A(.inc) A(bin \"data\"));\n"),
        ("a.c", "#define A(x...) #x\n#define Q A(.inc) A(bin \"data\")\nasm(Q);\n"),
    ] {
        let mut bench = Bench::new();
        bench.write("data", "one");
        bench.write(source, text);
        let line = format!("clang -c {source} -o x.o");
        assert_eq!(bench.compile(&line), End::NotKept(NotKept::HiddenInput), "{text}");
    }
}

#[test]
fn a_header_behind_a_directive_after_a_lone_carriage_return_is_seen() {
    for compiler in compilers() {
        let mut bench = Bench::new();
        bench.write("a.c", "int y;\r#define H <v.h>\r#include H\rint x = V;\n");
        bench.write("two/v.h", "#define V 1\n");
        fs::create_dir(bench.at("one")).unwrap();
        let line = format!("{compiler} -w -Ione -Itwo -c a.c -o a.o");
        bench.cached(&line);
        bench.write("one/v.h", "#define V 2\n");
        bench.cached(&line);
    }
}

#[test]
fn assembler_that_describes_its_own_lines_names_the_directory() {
    for compiler in compilers() {
        for text in
            [".file 0 \"a.c\"\n.text\nf: .loc 0 1 0\n ret\n", ".file 1 \"a.c\"\n.text\nf: .loc 1 1\n ret\n"]
        {
            let mut bench = Bench::new();
            for dir in ["d", "e"] {
                bench.write(&format!("{dir}/a.s"), text);
                bench.write(&format!("{dir}/b.S"), text);
            }
            for dir in ["d", "e"] {
                for source in ["a.s", "b.S"] {
                    let line = format!("{compiler} -c {source} -o x.o");
                    assert_eq!(bench.same_in(dir, &line), End::Kept, "{dir}/{source}");
                    assert_eq!(bench.same_in(dir, &line), End::Hit, "{dir}/{source}");
                }
            }
        }
    }
    for dir in ["d", "e"] {
        let mut bench = Bench::new();
        bench.write(&format!("{dir}/a.c"), "asm(\".file 1 \\\"q.c\\\"\\n.loc 1 1\\nnop\");\n");
        assert_eq!(bench.same_in(dir, "gcc -c a.c"), End::NotKept(NotKept::Directory));
        assert_eq!(bench.same_in(dir, "gcc -g -c a.c"), End::Kept);
    }
}

#[test]
fn a_directory_that_becomes_another_one_is_seen() {
    let mut bench = Bench::new();
    bench.write("a.c", "#include <q.h>\nint x;\n");
    for dir in ["inc", "sys"] {
        bench.write(&format!("{dir}/q.h"), "static int q(int a) { int u; return 1; }\n");
    }
    for compiler in compilers() {
        let line = format!("{compiler} -Wall -Iinc -isystem sys -MD -c a.c -o a.o");
        bench.cached(&line);
        fs::rename(bench.at("inc"), bench.at("other")).unwrap();
        std::os::unix::fs::symlink("sys", bench.at("inc")).unwrap();
        bench.settle(&bench.at("inc"));
        bench.cached(&line);
        bench.remove("inc");
        fs::rename(bench.at("other"), bench.at("inc")).unwrap();
        bench.settle(&bench.at("inc"));
        assert_eq!(bench.same(&line), End::Hit);
    }
}

#[test]
fn a_precompiled_header_of_the_source_itself_is_seen() {
    let mut bench = Bench::new();
    bench.write("a.c", "int x;\n");
    let line = "gcc -Winvalid-pch -c a.c -o a.o";
    bench.cached(line);
    bench.write("a.c.gch", "no precompiled header\n");
    bench.cached(line);
}

#[test]
fn a_directive_with_unusual_white_space_is_seen() {
    for compiler in compilers() {
        for text in [
            "#\0include \"v.h\"\n",
            "#define V \"v.h\"\n\0#include V\n",
            "#include\0\"v.h\"\n",
            "#inc\\\0\nlude \"v.h\"\n",
            "#\u{a0}include \"v.h\"\n",
            "#define V \"v.h\"\n\u{a0}#include V\n",
        ] {
            if compiler == "gcc" && text.contains('\u{a0}') {
                continue;
            }
            let mut bench = Bench::new();
            bench.write("a.c", text);
            bench.write("two/v.h", "int v = 1;\n");
            fs::create_dir(bench.at("one")).unwrap();
            let line = format!("{compiler} -w -Ione -Itwo -c a.c -o a.o");
            bench.same(&line);
            bench.write("one/v.h", "int v = 2;\n");
            bench.same(&line);
        }
    }
}

#[test]
fn a_text_that_begins_like_a_precompiled_header_is_searched() {
    for compiler in compilers() {
        let mut bench = Bench::new();
        bench.write("a.c", "#define CPCHECK(x)\n#include \"l.def\"\n");
        bench.write("l.def", "CPCHECK(1)\n#include <v.h>\n");
        bench.write("two/v.h", "int v = 1;\n");
        fs::create_dir(bench.at("one")).unwrap();
        let line = format!("{compiler} -Ione -Itwo -c a.c -o a.o");
        bench.cached(&line);
        bench.write("one/v.h", "int v = 2;\n");
        bench.cached(&line);
    }
}

#[test]
fn code_for_a_device_that_clang_names_after_the_inode_is_not_kept() {
    if !compilers().contains(&"clang") {
        eprintln!("left out: no clang");
        return;
    }
    let mut bench = Bench::new();
    bench.write("a.c", "int f(int x) {\n#pragma omp target map(tofrom: x)\nx++;\nreturn x; }\n");
    bench.cached("clang -c a.c -o a.o");
    assert_eq!(bench.compile("clang -fopenmp -c a.c -o a.o"), End::NotKept(NotKept::HiddenInput));
}

#[test]
fn a_precompiled_header_with_colours_is_not_one_without() {
    for compiler in compilers() {
        let mut bench = Bench::new();
        bench.write("h.h", "int h;\n");
        let line = format!("{compiler} -x c-header h.h -o h.pch");
        bench.colour = true;
        assert_eq!(bench.compile(&line), End::Kept);
        bench.colour = false;
        assert_eq!(bench.compile(&line), End::Kept);
    }
}
