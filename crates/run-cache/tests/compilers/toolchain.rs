//! Parts of a compiler: programs, configurations, installations and variables that choose among them.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;

use run_cache::{NotKept, Reason};

use crate::support::{Bench, End, has, make_executable};

/// Returns true if clang is here, and says so if it is not.
fn has_clang() -> bool {
    let is_here = has("clang") && has("clang++");
    if !is_here {
        let _ = std::io::stderr().write_all(b"no clang on PATH: this part of the test is left out\n");
    }
    is_here
}

/// Returns the reason for which a call is refused.
fn refused(end: End) -> Option<Reason> {
    if let End::NotCacheable(why) = end { Some(why.reason) } else { None }
}

#[test]
fn an_assembler_that_comes_first_on_path_is_an_input() {
    let mut bench = Bench::new();
    bench.write("a.c", "int a;\n");
    bench.write("tools/x", "");
    let path = bench.env[0].1.clone();
    bench.env[0].1 = format!("tools:{path}");
    bench.cached("gcc -c a.c -o a.o");
    bench.write("tools/as", "#!/bin/sh\nexec /usr/bin/as --defsym mine=1 \"$@\"\n");
    make_executable(&bench.at("tools/as"));
    bench.settle(&bench.at("tools/as"));
    // Nobody knows what a script runs.
    assert_eq!(bench.same("gcc -c a.c -o a.o"), End::NotKept(NotKept::InputUnknown));
    // Another text of PATH that leads to the same programs is the same.
    bench.env[0].1 = format!("/nonexistent:{path}");
    assert_eq!(bench.same("gcc -c a.c -o a.o"), End::Hit);
}

#[test]
fn a_program_of_the_same_length_and_time_is_another_program() {
    let mut bench = Bench::new();
    bench.write("a.c", "int a;\n");
    bench.write("tools/x", "");
    bench.env[0].1 = format!("tools:{}", bench.env[0].1);
    let assembler = fs::read(fs::canonicalize("/usr/bin/as").unwrap()).unwrap();
    let mut other = assembler.clone();
    // Bytes behind the program's own change nothing in what it does.
    let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_577_836_800);
    for (text, last, expected) in
        [(assembler, 0, End::Kept), (other.clone(), 1, End::Kept), (std::mem::take(&mut other), 0, End::Hit)]
    {
        let mut text = text;
        text.push(last);
        fs::write(bench.at("tools/new"), text).unwrap();
        make_executable(&bench.at("tools/new"));
        fs::File::options().append(true).open(bench.at("tools/new")).unwrap().set_modified(time).unwrap();
        bench.settle(&bench.at("tools/new"));
        fs::rename(bench.at("tools/new"), bench.at("tools/as")).unwrap();
        bench.settle(&bench.at("tools/as"));
        assert_eq!(bench.same("gcc -c a.c -o a.o"), expected, "{last}");
    }
}

#[test]
fn what_names_other_parts_of_the_compiler_is_not_cached() {
    let mut bench = Bench::new();
    bench.write("a.c", "int a;\n");
    bench.write("tools/x", "");
    for line in ["gcc -Btools/x- -c a.c", "gcc -B none -c a.c", "gcc -remap -c a.c"] {
        assert_eq!(refused(bench.same(line)), Some(Reason::RefusedArgument), "{line}");
    }
    for (name, value) in [
        ("COMPILER_PATH", "tools"),
        ("GCC_EXEC_PREFIX", "/usr/lib/gcc/"),
        ("GCONV_PATH", "tools"),
        ("LD_PRELOAD", ""),
        ("LD_LIBRARY_PATH", "tools"),
    ] {
        bench.env.push((name.into(), value.into()));
        let expected = if value.is_empty() { None } else { Some(Reason::Environment) };
        assert_eq!(refused(bench.same("gcc -c a.c")), expected, "{name}={value}");
        bench.env.pop();
    }
}

#[test]
fn a_library_that_the_loader_finds_first_is_an_input() {
    let mut bench = Bench::new();
    bench.write("a.c", "int a;\n");
    bench.write("lib/libmine.so.1", "one");
    bench.env.push(("LD_LIBRARY_PATH".into(), bench.at("lib").to_str().unwrap().into()));
    let line = "gcc -c a.c";
    bench.write("lib/libother.so", "");
    assert_eq!(bench.same(line), End::Kept);
    bench.write("lib/libother.so", "x");
    assert_eq!(bench.same(line), End::Kept);
    fs::create_dir(bench.at("lib/glibc-hwcaps")).unwrap();
    assert_eq!(bench.same(line), End::NotKept(NotKept::InputUnknown));
}

#[test]
fn a_library_in_the_working_directory_is_an_input_where_the_loader_looks_there() {
    let mut bench = Bench::new();
    bench.write("a.c", "int a;\n");
    bench.env.push(("LD_LIBRARY_PATH".into(), format!("{}:", bench.at("lib").display())));
    let line = "gcc -c a.c -o a.o";
    bench.cached(line);
    // Other files come and go there all the time.
    bench.write("b.o", "");
    assert_eq!(bench.compile(line), End::Hit);
    bench.write("libother.so", "");
    assert_eq!(bench.same(line), End::Kept);
    bench.write("libother.so", "x");
    assert_eq!(bench.same(line), End::Kept);
    fs::create_dir(bench.at("tls")).unwrap();
    assert_eq!(bench.same(line), End::NotKept(NotKept::InputUnknown));
}

#[test]
fn an_object_with_the_time_for_the_linker_of_windows_is_not_kept() {
    if !has_clang() {
        return;
    }
    for (words, end) in [
        // It looks for headers otherwise, too.
        ("--target=x86_64-pc-windows-msvc", End::NotKept(NotKept::InputUnknown)),
        ("--target=x86_64-w64-mingw32", End::Kept),
        ("--target=x86_64-w64-mingw32 -mincremental-linker-compatible", End::NotKept(NotKept::Time)),
        ("-mincremental-linker-compatible -mno-incremental-linker-compatible", End::Kept),
    ] {
        let mut bench = Bench::new();
        bench.write("a.c", "int a;\n");
        assert_eq!(bench.compile(&format!("clang {words} -c a.c -o a.o")), end, "{words}");
    }
}

#[test]
fn what_only_gcc_takes_as_harmless_is_not_cached_for_clang() {
    if !has_clang() {
        return;
    }
    let mut bench = Bench::new();
    bench.write("a.c", "int a;\n");
    for words in [
        "-g -grecord-gcc-switches",
        "-fms-compatibility",
        "-fms-compatibility-version=19",
        "-fdiagnostics-absolute-paths",
        "-fno-integrated-as",
    ] {
        let end = bench.compile(&format!("clang {words} -c a.c"));
        assert!(refused(end.clone()).is_some(), "{words}: {end:?}");
    }
    bench.cached("clang -fms-extensions -c a.c");
    bench.write("b.c", "#pragma include_alias(\"x.h\", \"y.h\")\nint a;\n");
    assert_eq!(bench.same("clang -fms-extensions -c b.c"), End::NotKept(NotKept::HiddenInput));
}

#[test]
fn clang_is_the_path_that_it_is_called_by() {
    if !has_clang() {
        return;
    }
    let mut bench = Bench::new();
    bench.write("a.cc", "#include <vv.h>\nint x = V;\n");
    let real = fs::canonicalize("/usr/bin/clang++").unwrap();
    for (root, value) in [("one", "1"), ("two", "2")] {
        bench.write(&format!("{root}/lib/gcc/x86_64-linux-gnu/12/crtbegin.o"), "");
        bench.write(&format!("{root}/include/c++/12/vv.h"), &format!("#define V {value}\n"));
        fs::create_dir(bench.at(&format!("{root}/bin"))).unwrap();
        symlink(&real, bench.at(&format!("{root}/bin/clang++"))).unwrap();
    }
    bench.cached("one/bin/clang++ --target=x86_64-linux-gnu -MD -c a.cc");
    bench.cached("two/bin/clang++ --target=x86_64-linux-gnu -MD -c a.cc");
    // The depfile has the name as it was called.
    bench.cached("./two/bin/clang++ --target=x86_64-linux-gnu -MD -c a.cc");
}

#[test]
fn a_map_does_not_hide_the_directory_in_what_clang_assembles() {
    if !has_clang() {
        return;
    }
    let mut bench = Bench::new();
    for dir in ["one", "two"] {
        bench.write(&format!("{dir}/a.s"), "f: ret\n");
        let line = format!("clang -g -fdebug-prefix-map={}=. -c a.s", bench.at(dir).display());
        assert_eq!(bench.same_in(dir, &line), End::Kept, "{dir}");
        assert_eq!(bench.same_in(dir, &line), End::Hit, "{dir}");
    }
}

#[test]
fn a_gcc_or_headers_that_clang_would_find_are_inputs() {
    if !has_clang() {
        return;
    }
    let mut bench = Bench::new();
    bench.write("a.cc", "#include <vv.h>\nint x = V;\n");
    bench.write("last/vv.h", "#define V 0\n");
    bench.write("tc/lib/gcc/x86_64-linux-gnu/12/x", "");
    bench.write("tc/lib/gcc/x86_64-linux-gnu/13/x", "");
    bench.write("tc/include/c++/13/vv.h", "#define V 13\n");
    bench.write("s/usr/include/stdc-predef.h", "");
    let line =
        "clang++ --target=x86_64-linux-gnu --gcc-toolchain=tc --sysroot=s -idirafter last -MD -c a.cc -o a.o";
    bench.cached(line);
    for (path, text) in [
        ("tc/lib/gcc/x86_64-linux-gnu/12/crtbegin.o", ""),
        ("tc/include/c++/12/vv.h", "#define V 12\n"),
        ("tc/lib/gcc/x86_64-linux-gnu/13/crtbegin.o", ""),
        ("s/usr/include/x86_64-linux-gnu/new.h", ""),
    ] {
        bench.write(path, text);
        assert_eq!(bench.same(line), End::Kept, "{path}");
        assert_eq!(bench.same(line), End::Hit, "{path}");
    }
    bench.remove("tc/lib/gcc/x86_64-linux-gnu/13/crtbegin.o");
    bench.cached(line);
}

#[test]
fn a_configuration_that_clang_would_read_is_an_input() {
    if !has_clang() {
        return;
    }
    let mut bench = Bench::new();
    bench.write("a.c", "#ifndef V\n#define V 1\n#endif\nint x = V;\n");
    fs::create_dir(bench.at("bin")).unwrap();
    symlink(fs::canonicalize("/usr/bin/clang").unwrap(), bench.at("bin/foo-clang-14")).unwrap();
    let line = "bin/foo-clang-14 --target=x86_64-linux-gnu -c a.c";
    bench.cached(line);
    for name in ["foo.cfg", "foo-clang.cfg", "foo-clang-14.cfg", "x86_64-clang.cfg", "x86_64.cfg"] {
        bench.write(&format!("bin/{name}"), "-DV=2\n");
        let end = bench.same(line);
        assert!(matches!(end, End::NotKept(_)), "{name}: {end:?}");
        bench.remove(&format!("bin/{name}"));
        assert_eq!(bench.same(line), End::Hit, "{name}");
    }
}

#[test]
fn an_assembler_or_a_search_that_the_target_chooses_is_not_kept() {
    if !has_clang() {
        return;
    }
    let mut bench = Bench::new();
    bench.write("a.c", "int a;\n");
    bench.write("bin/sparc64-linux-gnu-as", "#!/bin/sh\n");
    make_executable(&bench.at("bin/sparc64-linux-gnu-as"));
    bench.env[0].1 = format!("{}:{}", bench.at("bin").display(), bench.env[0].1);
    for target in ["sparc64-linux-gnu", "x86_64-pc-windows-msvc"] {
        let end = bench.compile(&format!("clang --target={target} -c a.c -o a.o"));
        assert!(matches!(end, End::NotKept(NotKept::NoOutput | NotKept::InputUnknown)), "{target}: {end:?}");
    }
}

#[test]
fn an_assembler_that_cannot_list_its_inputs_is_not_asked_to() {
    let mut bench = Bench::new();
    bench.write("a.c", "int a;\n");
    bench.write("b.c", "asm(\".incbin \\\"a.c\\\"\");\n");
    bench.write("tools/x", "");
    // A native program: it calls GNU's, and like Apple's it does not take --MD.
    bench.write(
        "as.c",
        "#include <string.h>\n#include <unistd.h>\nint main(int argc, char **argv) {\n\
         for (int i = 1; i < argc; i++) if (!strncmp(argv[i], \"--MD\", 4)) return 1;\n\
         return execv(\"/usr/bin/as\", argv); }\n",
    );
    bench.plain("", "gcc as.c -o tools/as");
    bench.remove("as.c");
    bench.settle(&bench.at("tools/as"));
    bench.env[0].1 = format!("{}:{}", bench.at("tools").display(), bench.env[0].1);
    bench.cached("gcc -c a.c");
    assert_eq!(bench.same("gcc -c b.c"), End::NotKept(NotKept::HiddenInput));
}

#[test]
fn a_failure_caused_by_the_added_dependency_list_is_recognised() {
    let mut bench = Bench::new();
    bench.write("a.c", "int a;\n");
    let miss = bench.miss(&bench.call("", "gcc -c a.c"));
    let list = miss.args().iter().skip_while(|word| *word != "-MF").nth(1).unwrap().clone();
    let ran = |success, text: &str| run_cache::Ran { success, stderr: text.into(), ..Default::default() };
    let full = format!("fatal error: closing dependency file {list}: No space left on device\n");
    assert!(miss.blames_own_arguments(&ran(false, &full)));
    assert!(miss.blames_own_arguments(&ran(false, "as: unrecognized option '--MD'\n")));
    assert!(!miss.blames_own_arguments(&ran(true, &full)));
    assert!(!miss.blames_own_arguments(&ran(false, "a.c:1: error: no\n")));
}

#[test]
fn what_appears_below_a_prefix_of_programs_is_an_input() {
    let mut bench = Bench::new();
    bench.write("a.c", "#if __has_include(<vv.h>)\nint a;\n#else\nint b;\n#endif\n");
    bench.write("b/x", "");
    let [target, version] = ["gcc -dumpmachine", "gcc -dumpversion"].map(|line| {
        let call = bench.call("", line);
        let said = crate::support::run(&call, &call.args, false).unwrap().stdout;
        String::from_utf8(said).unwrap().trim().to_owned()
    });
    let line = "gcc -Bb -c a.c";
    let empty = |bench: &Bench| {
        fs::remove_dir_all(bench.at("b")).unwrap();
        bench.write("b/x", "");
    };
    bench.cached(line);
    for path in ["include/vv.h", &format!("{target}/{version}/include/vv.h")] {
        bench.write(&format!("b/{path}"), "");
        assert_eq!(bench.same(line), End::Kept, "{path}");
        empty(&bench);
        assert_eq!(bench.same(line), End::Hit, "{path}");
    }
    let names = [
        "as",
        &format!("{target}-as"),
        &format!("{target}/{version}/as"),
        &format!("{target}/{version}/cc1"),
    ];
    for path in names {
        let path = format!("b/{path}");
        bench.write(&path, "#!/bin/sh\nexec /usr/bin/as --defsym mine=1 \"$@\"\n");
        make_executable(&bench.at(&path));
        bench.settle(&bench.at(&path));
        assert!(matches!(bench.compile(line), End::NotKept(_) | End::NotCacheable(_)), "{path}");
        empty(&bench);
        assert_eq!(bench.same(line), End::Hit, "{path}");
    }
}

#[test]
fn an_object_with_debug_information_does_not_tell_that_it_was_made_on_a_terminal() {
    let mut bench = Bench::new();
    bench.write("a.c", "int a;\n");
    bench.env.push(("TERM".into(), "xterm-256color".into()));
    for line in ["gcc -g -c a.c -o a.o", "gcc -O2 -ggdb3 -c a.c -o a.o", "gcc -c a.c -o a.o"] {
        bench.colour = true;
        assert_eq!(bench.same(line), End::Kept, "{line}");
        bench.colour = false;
        assert_eq!(bench.same(line), End::Hit, "{line}");
    }
}

#[test]
fn a_program_that_runs_a_compiler_under_the_name_of_one_is_not_cached() {
    let mut bench = Bench::new();
    bench.write("a.c", "int a;\n");
    bench.write("tools/x", "");
    // Such a program reads variables of its own.
    let text = "#include <unistd.h>\nint main(int argc, char **argv) {\n\
        argv[0] = NAME; return execv(\"/usr/bin/\" NAME, argv); }\n";
    bench.write("wrapper.c", text);
    for (name, compiler) in
        [("afl-gcc", "gcc"), ("afl-clang", "clang")].into_iter().filter(|(_, name)| has(name))
    {
        bench.plain("", &format!("gcc -DNAME=\"{compiler}\" wrapper.c -o tools/{name}"));
        bench.settle(&bench.at(&format!("tools/{name}")));
        let line = format!("tools/{name} -c a.c -o a.o");
        assert_eq!(refused(bench.same(&line)), Some(Reason::NotACompiler), "{name}");
    }
    // One that is called as the compiler is.
    let call = run_cache::Call { name: "gcc".into(), ..bench.call("", "tools/afl-gcc -c a.c -o a.o") };
    let miss = bench.miss(&call);
    let ran = crate::support::run(&call, miss.args(), false).unwrap();
    assert_eq!(miss.finish(&ran, &mut bench.shelf), Err(NotKept::InputUnknown));
}

#[test]
fn an_object_that_records_its_command_line_is_not_cached() {
    if !has_clang() {
        return;
    }
    let mut bench = Bench::new();
    bench.write("a.c", "int a;\n");
    for (line, expected) in [
        ("clang --target=x86_64-w64-mingw32 -g -gcodeview -c a.c -o a.o", Reason::RefusedArgument),
        ("clang --target=x86_64-pc-windows-msvc -g -c a.c -o a.o", Reason::RefusedArgument),
    ] {
        assert_eq!(refused(bench.same(line)), Some(expected), "{line}");
    }
    bench.env.push(("RC_DEBUG_OPTIONS".into(), "1".into()));
    let line = "clang --target=x86_64-apple-macosx10.15 -g -c a.c -o a.o";
    assert_eq!(refused(bench.same(line)), Some(Reason::Environment));
}
