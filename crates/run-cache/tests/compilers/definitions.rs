//! Macros that arguments define: they read files and ask questions as those of a file do.

use std::fs;

use run_cache::NotKept;

use crate::inputs::compilers;
use crate::support::{Bench, End};

#[test]
fn the_time_on_the_command_line_is_not_kept() {
    for compiler in compilers() {
        for (text, args) in [
            ("const char *t = NOW;\n", "-DNOW=__TIME__"),
            ("const char *t = NOW;\n", "-Wp,-DNOW=__DATE__"),
            ("#define P(a) __##a##__\n#define Q(a) P(a)\nconst char *t = Q(X);\n", "-DX=TIME"),
            (
                "#define P(a, b) a##b\n#define Q(a, b) P(a, b)\nconst char *t = Q(A, B);\n",
                "-DA=__TI -DB=ME__",
            ),
        ] {
            let mut bench = Bench::new();
            bench.write("a.c", text);
            let end = bench.compile(&format!("{compiler} {args} -c a.c"));
            assert_eq!(end, End::NotKept(NotKept::Time), "{args} {text}");
        }
    }
}

#[test]
fn parts_of_a_name_of_the_time_in_two_files_are_seen() {
    let mut bench = Bench::new();
    bench.write("join.h", "#define P(a, b) a##b\n#define Q(a, b) P(a, b)\n");
    bench.write("a.c", "#include \"join.h\"\n#define A __DA\nconst char *t = Q(A, TE__);\n");
    assert_eq!(bench.compile("gcc -c a.c"), End::NotKept(NotKept::Time));
}

#[test]
fn a_has_include_on_the_command_line_is_an_input() {
    for compiler in compilers() {
        let mut bench = Bench::new();
        bench.write("a.c", "#if HAS\nint y;\n#endif\nint x;\n");
        bench.write("b.c", "#if ASK(<opt.h>)\nint y;\n#endif\nint x;\n");
        fs::create_dir_all(bench.at("inc")).unwrap();
        let line = format!("{compiler} -Iinc -DHAS=__has_include(<opt.h>) -c a.c");
        bench.cached(&line);
        bench.write("inc/opt.h", "");
        bench.cached(&line);
        for line in ["-DASK=__has_include", "-DASK(x)=__has_include(x)"] {
            let line = format!("{compiler} -Iinc {line} -c b.c");
            bench.cached(&line);
            bench.remove("inc/opt.h");
            bench.cached(&line);
            bench.write("inc/opt.h", "");
        }
        let line = format!("{compiler} -Iinc -DHAS=__has_include(\"opt.h\") -c a.c");
        assert_eq!(bench.same(&line), End::NotKept(NotKept::ComputedInclude));
    }
}

#[test]
fn assembly_on_the_command_line_that_reads_a_file_is_seen() {
    for compiler in compilers() {
        let mut bench = Bench::new();
        bench.write("a.c", "asm(A);\n");
        bench.write("f.bin", "one");
        let line = format!("{compiler} -DA=\".incbin\\x20\\\"f.bin\\\"\" -c a.c");
        let first = bench.same(&line);
        bench.write("f.bin", "two");
        assert_ne!(bench.same(&line), End::Hit);
        let is_gcc = !compiler.starts_with("clang");
        assert_eq!(first, if is_gcc { End::Kept } else { End::NotKept(NotKept::HiddenInput) });
    }
}
