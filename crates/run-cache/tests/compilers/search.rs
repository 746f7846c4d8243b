//! Directories that a compiler searches: in another order than they were given in, or by another name.

use std::fs;

use run_cache::NotKept;

use crate::inputs::compilers;
use crate::support::{Bench, End};

/// A header in one directory, and a directory in which it newly comes first.
fn two_directories(source: &str) -> Bench {
    let bench = Bench::new();
    bench.write("src/a.c", source);
    bench.write("S/v.h", "int v = 1;\n");
    bench.write("A/other.h", "");
    bench
}

#[test]
fn a_directory_that_is_dropped_because_it_comes_again_does_not_end_the_search() {
    for compiler in compilers() {
        for dirs in [
            "-iquote S -I A -isystem S",
            "-iquote S -I A -I S",
            "-I S -I A -idirafter S",
            "-I S -I A -isystem S",
            "-isystem S -isystem A -idirafter S",
        ] {
            let mut bench = two_directories("#include \"v.h\"\n");
            let line = format!("{compiler} {dirs} -c src/a.c -o a.o");
            bench.cached(&line);
            bench.write("A/v.h", "int v = 2;\n");
            let end = bench.same(&line);
            assert!(matches!(end, End::Kept | End::Hit), "{line}: {end:?}");
        }
    }
}

#[test]
fn directories_of_cpath_stand_before_those_of_the_system_however_they_are_written() {
    for compiler in compilers() {
        for cpath in [":S", "S:", ":", "S::A", "A/../S:A", "/usr/include:S", "S:/usr/include", "."] {
            let mut bench = two_directories("#include <v.h>\n");
            bench.env.push(("CPATH".into(), cpath.into()));
            let line = format!("{compiler} -isystem A -c src/a.c -o a.o");
            bench.write("A/v.h", "int v = 3;\n");
            bench.cached(&line);
            bench.write("v.h", "int v = 2;\n");
            let end = bench.same(&line);
            assert!(matches!(end, End::Kept | End::Hit), "{cpath}: {end:?}");
            bench.remove("S/v.h");
            bench.remove("v.h");
            let end = bench.same(&line);
            assert!(matches!(end, End::Kept | End::Hit), "{cpath}: {end:?}");
        }
    }
}

#[test]
fn a_link_to_a_directory_of_the_system_that_leads_elsewhere_later_is_seen() {
    for compiler in compilers() {
        for variable in [None, Some("CPATH"), Some("C_INCLUDE_PATH")] {
            let mut bench = Bench::new();
            bench.write("a.c", "#include <errno.h>\nint e = ENOENT;\n");
            bench.write("usr2/include/errno.h", "#define ENOENT 77\n");
            let dir = bench.at("sdk/include").display().to_string();
            let line = match variable {
                Some(variable) => {
                    bench.env.push((variable.into(), dir));
                    format!("{compiler} -c a.c -o a.o")
                }
                None => format!("{compiler} -I sdk/include -c a.c -o a.o"),
            };
            bench.lead("sdk", "/usr");
            bench.cached(&line);
            bench.lead("sdk", "usr2");
            assert_eq!(bench.same(&line), End::Kept, "{line} {variable:?}");
            bench.lead("sdk", "/usr");
            assert_eq!(bench.same(&line), End::Hit, "{line} {variable:?}");
        }
    }
}

#[test]
fn a_link_that_newly_leads_to_a_directory_of_the_system_is_seen() {
    for compiler in compilers() {
        let mut bench = Bench::new();
        bench.write("a.c", "#include <v.h>\n");
        for (dir, number) in [("one", 1), ("system", 1), ("other", 2)] {
            bench.write(&format!("{dir}/v.h"), &format!("int v = {number};\n"));
        }
        let system = bench.at("second/inc").display().to_string();
        bench.env.push(("C_INCLUDE_PATH".into(), system));
        let line = format!("{compiler} -I sdk/inc -isystem other -c a.c -o a.o");
        for (dir, target) in [("first", "one"), ("second", "system")] {
            fs::create_dir(bench.at(dir)).unwrap();
            fs::rename(bench.at(target), bench.at(dir).join("inc")).unwrap();
        }
        bench.lead("sdk", "first");
        bench.cached(&line);
        // Now the compiler drops it, and the other directory comes first.
        bench.lead("sdk", "second");
        assert_eq!(bench.same(&line), End::Kept, "{compiler}");
    }
}

#[test]
fn a_header_whose_name_no_list_can_tell_keeps_the_result_out() {
    use std::os::unix::ffi::OsStrExt as _;
    for compiler in compilers() {
        let mut bench = Bench::new();
        let name = std::ffi::OsStr::from_bytes(b"h\xff.h");
        fs::write(bench.dir.path().join(name), "").unwrap();
        fs::write(bench.at("a.c"), b"#define M \"h\xff.h\"\n#include M\n#include \"v.h\"\n").unwrap();
        bench.write("v.h", "int v = 1;\n");
        let line = format!("{compiler} -c a.c -o a.o");
        assert_eq!(bench.compile(&line), End::NotKept(NotKept::InputUnknown), "{compiler}");
    }
}

#[test]
fn a_relative_root_of_the_system_is_another_one_in_each_directory() {
    for compiler in compilers() {
        let mut bench = Bench::new();
        let line = format!("{compiler} --sysroot=r -MD -c a.c -o a.o");
        for dir in ["one", "two"] {
            bench.write(&format!("{dir}/a.c"), "#include <v.h>\n");
            bench.write(&format!("{dir}/r/usr/include/v.h"), "int v = 1;\n");
            bench.write(&format!("{dir}/r/usr/local/include/q.h"), "");
        }
        for dir in ["one", "two"] {
            assert_eq!(bench.same_in(dir, &line), End::Kept, "{compiler}: {dir}");
            assert_eq!(bench.same_in(dir, &line), End::Hit, "{compiler}: {dir}");
            bench.write(&format!("{dir}/r/usr/local/include/v.h"), "int v = 2;\n");
            assert_eq!(bench.same_in(dir, &line), End::Kept, "{compiler}: {dir}");
        }
    }
}
