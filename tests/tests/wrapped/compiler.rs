//! `zccache-wrap` before a compiler of ours: hits, misses, exit codes and hard arguments, on every platform.

use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, UNIX_EPOCH};

use ipc_os::file_clock_ns;
use testkit::{TempEndpoint, eventually, watchdog};

const SOON: Duration = Duration::from_secs(30);

/// A directory with sources and a compiler, whose daemon is stopped at the end.
struct Bench(TempEndpoint);

impl Bench {
    fn new() -> Self {
        let bench = Self(TempEndpoint::new());
        let _compiler = testkit::stand_in_compiler(&bench.at("bin"));
        // They are found beside the wrapper, and built before a test has to wait for them.
        drop((testkit::program("zccache-daemon"), testkit::program("zccache-ipc")));
        bench
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.dir().join(path)
    }

    /// Writes a file, and waits until it is old enough to be an input of the next run.
    fn write(&self, path: &str, text: &str) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        let modified = i64::try_from(modified.duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap();
        eventually(SOON, "the clock of files moves on", || file_clock_ns() > modified);
    }

    fn command(&self, program: &str) -> Command {
        let mut command = self.0.command(program);
        command.env("PATH", self.at("bin")).env("STAND_IN_RUNS", self.at("runs"));
        command
    }

    fn wrapped(&self, arguments: &[&str]) -> Output {
        let wrap = testkit::program("zccache-wrap");
        self.command(wrap.to_str().unwrap()).arg("gcc").args(arguments).output().unwrap()
    }

    /// Runs the compiler without the wrapper.
    fn plain(&self, arguments: &[&str]) -> Output {
        self.command(self.at(&format!("bin/gcc{EXE_SUFFIX}")).to_str().unwrap())
            .args(arguments)
            .output()
            .unwrap()
    }

    /// Returns how often the compiler compiled.
    fn runs(&self) -> usize {
        fs::read_to_string(self.at("runs")).unwrap_or_default().lines().count()
    }

    /// Compiles through the wrapper, and checks the object and whether the compiler ran.
    #[track_caller]
    fn check(&self, arguments: &[&str], object: &str, is_hit: bool) {
        let before = self.runs();
        let _ = fs::remove_file(self.at(object));
        let wrapped = self.wrapped(arguments);
        assert!(wrapped.status.success(), "{arguments:?}: {wrapped:?}");
        assert_eq!(self.runs() - before, usize::from(!is_hit), "{arguments:?}: {wrapped:?}");
        let made = fs::read_to_string(self.at(object)).expect("the object is there");
        let direct = self.plain(arguments);
        assert_eq!(made, fs::read_to_string(self.at(object)).unwrap(), "{arguments:?}");
        assert_eq!(wrapped, direct, "{arguments:?}");
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let ipc = testkit::program("zccache-ipc");
        let stopped = self.command(ipc.to_str().unwrap()).arg("stop").output();
        assert!(std::thread::panicking() || stopped.is_ok(), "{stopped:?}");
    }
}

#[test]
fn a_miss_is_kept_a_hit_runs_nothing_and_a_changed_header_is_a_miss() {
    let bench = Bench::new();
    let _watchdog = watchdog(4 * SOON);
    bench.write("inc/h.h", "int one;\n");
    bench.write("a.c", "#include \"h.h\"\nint f(void);\n");
    let line = ["-Iinc", "-c", "a.c", "-o", "a.o"];
    bench.check(&line, "a.o", false);
    bench.check(&line, "a.o", true);
    bench.write("inc/h.h", "int other;\n");
    bench.check(&line, "a.o", false);
    bench.write("h.h", "int nearer;\n");
    bench.check(&line, "a.o", false);
    fs::remove_file(bench.at("h.h")).unwrap();
    bench.check(&line, "a.o", true);
}

#[test]
fn another_program_of_the_same_length_and_time_is_another_compiler() {
    let bench = Bench::new();
    let _watchdog = watchdog(4 * SOON);
    let part = bench.at(&format!("bin/lib/gcc/stand-in/1/cc1{EXE_SUFFIX}"));
    let program = fs::read(&part).unwrap();
    // Bytes behind a program do not change what it does.
    let replace = |last: u8| {
        fs::write(&part, [&program[..], &[last]].concat()).unwrap();
        let file = fs::File::options().write(true).open(&part).unwrap();
        file.set_modified(UNIX_EPOCH + SOON).unwrap();
        drop(file);
        // The compiler must not have changed while it runs.
        bench.write("a.c", "int f(void);\n");
    };
    let line = ["-c", "a.c", "-o", "a.o"];
    replace(1);
    bench.check(&line, "a.o", false);
    bench.check(&line, "a.o", true);
    replace(2);
    bench.check(&line, "a.o", false);
}

#[test]
fn a_depfile_is_kept_with_its_object() {
    let bench = Bench::new();
    let _watchdog = watchdog(4 * SOON);
    bench.write("a.c", "int f(void);\n");
    let line = ["-MD", "-MF", "a.dep", "-c", "a.c", "-o", "a.o"];
    bench.check(&line, "a.o", false);
    let depfile = fs::read_to_string(bench.at("a.dep")).unwrap();
    fs::remove_file(bench.at("a.dep")).unwrap();
    let wrapped = bench.wrapped(&line);
    assert!(wrapped.status.success(), "{wrapped:?}");
    assert_eq!(fs::read_to_string(bench.at("a.dep")).unwrap(), depfile);
    assert_eq!(bench.runs(), 2, "the run through the wrapper and the run without it");
}

#[test]
fn quotes_spaces_other_letters_and_response_files_reach_the_compiler() {
    let bench = Bench::new();
    let _watchdog = watchdog(4 * SOON);
    bench.write("with space/ä b€.c", "int f(void);\n");
    let define = "-DTEXT=\"x \\\"y\\\" ü\"";
    let line = [define, "-c", "with space/ä b€.c", "-o", "with space/ö o.o"];
    bench.check(&line, "with space/ö o.o", false);
    bench.check(&line, "with space/ö o.o", true);
    let other = [&["-DTEXT=\"x y\""], &line[1..]].concat();
    bench.check(&other, "with space/ö o.o", false);

    bench.write("args.rsp", "\"-DTEXT=a b\" -c 'with space/ä b€.c'\n-o r.o");
    bench.check(&["@args.rsp"], "r.o", false);
    bench.check(&["@args.rsp"], "r.o", true);
    bench.write("args.rsp", "-DTEXT=c -c 'with space/ä b€.c' -o r.o");
    bench.check(&["@args.rsp"], "r.o", false);
}

#[test]
fn a_failed_compiler_is_a_failure_each_time_with_its_own_exit_code() {
    let bench = Bench::new();
    let _watchdog = watchdog(4 * SOON);
    let codes: &[u32] = if cfg!(windows) { &[1, 256, 0xC000_0100] } else { &[1, 77] };
    for code in codes {
        let source = format!("f{code}.c");
        bench.write(&source, &format!("#error {code}\n"));
        for _ in 0..2 {
            let before = bench.runs();
            let wrapped = bench.wrapped(&["-c", &source, "-o", "f.o"]);
            assert_eq!(wrapped.status.code(), Some(code.cast_signed()), "{wrapped:?}");
            assert_eq!(bench.runs() - before, 1, "{wrapped:?}");
            assert_eq!(wrapped, bench.plain(&["-c", &source, "-o", "f.o"]));
        }
    }
}

#[test]
fn a_compiler_that_cannot_list_its_inputs_runs_again_without_the_list() {
    let bench = Bench::new();
    let _watchdog = watchdog(4 * SOON);
    bench.write("a.c", "int f(void);\n");
    let line = ["-c", "a.c", "-o", "a.o"];
    let wrap = testkit::program("zccache-wrap");
    for round in 1..=2 {
        let mut command = bench.command(wrap.to_str().unwrap());
        command.env("STAND_IN_WRITES_NO_LIST", "1").env("ZCCACHE_WRAP_LOG", bench.at("log"));
        let wrapped = command.arg("gcc").args(line).output().unwrap();
        assert!(wrapped.status.success(), "{wrapped:?}");
        assert_eq!(bench.runs(), 2 * round, "with the list and without it: {wrapped:?}");
        let log = fs::read_to_string(bench.at("log")).unwrap();
        assert_eq!(log.lines().count(), round, "{log}");
        let last = log.lines().last().unwrap();
        assert!(
            last.contains(r#""outcome":"uncached""#) && last.contains(r#""reason":"own_list""#),
            "{last}"
        );
    }
    // Nothing was kept.
    bench.check(&line, "a.o", false);
    bench.check(&line, "a.o", true);
}

#[test]
fn what_is_not_a_compilation_is_passed_through() {
    let bench = Bench::new();
    let _watchdog = watchdog(4 * SOON);
    bench.write("a.c", "int f(void);\n");
    // An option that is not known, a device as output, and no source.
    let device = if cfg!(windows) { "nul" } else { "/dev/null" };
    for line in [&["--unknown-option", "-c", "a.c"][..], &["-c", "a.c", "-o", device], &["-c"]] {
        for _ in 0..2 {
            assert_eq!(bench.wrapped(line), bench.plain(line), "{line:?}");
        }
    }
    bench.check(&["-c", "a.c", "-o", "a.o"], "a.o", false);
}
