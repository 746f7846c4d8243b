//! Compile, compile without a session and link, as clients see them.

use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use zccache_ipc::endpoint::{InodeStamp, file_clock_ns};
use zccache_ipc::model::{Compile, CompileEphemeral, CompileResult, EnvVars};

use super::*;

mod hidden;
mod tools;

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

impl Sut {
    /// Returns the C compiler of this machine, and on Windows the stand-in.
    fn compiler(&self) -> NormalizedPath {
        if cfg!(windows) {
            return testkit::stand_in_compiler(&self.dir.path().join("cc")).into();
        }
        let path = ["/usr/bin/cc", "/usr/local/bin/cc"].into_iter().find(|path| Path::new(path).exists());
        path.expect("these tests need a C compiler at /usr/bin/cc").into()
    }

    fn env(&self) -> Option<EnvVars> {
        let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        if cfg!(windows) {
            // A list of inputs is written to a directory that a variable names; only Unix has one without.
            let (compilers, home) = (self.dir.path().join("cc"), self.dir.path());
            return Some(vec![
                variable("PATH", compilers.to_str().unwrap()),
                variable("TMP", home.to_str().unwrap()),
            ]);
        }
        Some(vec![variable("PATH", "/usr/local/bin:/usr/bin:/bin")])
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("w").join(name)
    }

    /// Writes a file into the directory of the build.
    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        // A file that changes in the same tick as its compilation begins may have changed after it.
        let file = fs::metadata(path).unwrap();
        let modified = file.modified().unwrap().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        // Windows has no change time.
        let changed =
            InodeStamp::of(&file).map_or(i64::try_from(modified).unwrap(), |stamp| stamp.changed_ns);
        while file_clock_ns() <= changed {
            std::thread::yield_now();
        }
    }

    fn request(&self, compiler: impl Into<NormalizedPath>, line: &str) -> CompileEphemeral {
        CompileEphemeral {
            client_pid: 1,
            working_dir: self.path("").into(),
            compiler: compiler.into(),
            args: words(line),
            cwd: self.path("").into(),
            env: self.env(),
            stdin: Bytes::new(),
        }
    }

    async fn compile_as(&self, request: CompileEphemeral) -> CompileResult {
        match self.ask(Request::from(request)).await {
            Response::CompileResult(result) => result,
            other => panic!("{other:?}"),
        }
    }

    async fn cc(&self, line: &str) -> CompileResult {
        self.compile_as(self.request(self.compiler(), line)).await
    }

    /// Compiles twice with the outputs removed in between, and returns whether the second one was a hit.
    async fn twice(&self, line: &str, outputs: &[&str]) -> bool {
        let first = self.cc(line).await;
        assert_eq!((first.exit_code, first.cached), (0, false), "{line}: {first:?}");
        let made: Vec<_> = outputs.iter().map(|name| fs::read(self.path(name)).unwrap()).collect();
        outputs.iter().for_each(|name| fs::remove_file(self.path(name)).unwrap());
        let second = self.cc(line).await;
        let streams = |result: &CompileResult| (result.stdout.clone(), result.stderr.clone());
        assert_eq!((second.exit_code, streams(&second)), (0, streams(&first)), "{line}");
        let again: Vec<_> = outputs.iter().map(|name| fs::read(self.path(name)).unwrap()).collect();
        assert!(made == again, "{line}: the same files");
        second.cached
    }

    async fn is_hit(&self, line: &str) -> bool {
        let result = self.cc(line).await;
        assert_eq!(result.exit_code, 0, "{line}: {result:?}");
        result.cached
    }
}

const SOURCE: &str =
    "#include <stdio.h>\n#include \"h.h\"\nint main(void) { int unused; return puts(TEXT); }\n";

fn project() -> Sut {
    let sut = Sut::new();
    sut.write("a.c", SOURCE);
    sut.write("h.h", "#define TEXT \"one\"\n");
    sut
}

#[tokio::test]
async fn a_compilation_is_a_miss_and_then_a_hit_with_the_same_files_and_streams() {
    let _watchdog = watchdog(LIMIT);
    let sut = project();
    sut.write("out/x", "");
    assert!(sut.twice("-c a.c", &["a.o"]).await);
    assert!(sut.twice("-O2 -Wall -g -MMD -MP -MF out/a.d -c a.c -o out/a.o", &["out/a.o", "out/a.d"]).await);
    assert!(sut.twice("-std=c99 -fPIC -DX=1 -I. -MD -c -o b.o a.c", &["b.o", "b.d"]).await);
    // The warning comes from the store as well.
    let warned = sut.cc("-O2 -Wall -g -MMD -MP -MF out/a.d -c a.c -o out/a.o").await;
    assert!(warned.cached && String::from_utf8_lossy(&warned.stderr).contains("unused"), "{warned:?}");
    let status = sut.status().await;
    let figures = (status.total_compilations, status.cache_hits, status.cache_misses);
    assert_eq!(figures, (7, 4, 3));
    // Three manifests, which carry their results, the compiler's description of itself, and the hashes of the three
    // programs that it consists of. The stand-in's are too young to be kept at first, and one of them has two paths.
    let programs = status.artifact_count - 4;
    assert!(programs == 3 || cfg!(windows) && programs <= 4, "{programs}");
    assert_eq!((status.non_cacheable, status.compile_errors), (0, 0));
    assert!(status.time_saved_ms < 60_000);
}

#[tokio::test]
async fn a_changed_input_makes_another_result() {
    let _watchdog = watchdog(LIMIT);
    let sut = project();
    assert!(!sut.is_hit("-c a.c").await);
    assert!(sut.is_hit("-c a.c").await);
    assert!(sut.is_hit("-c a.c -o elsewhere.o").await, "where it goes does not matter");
    assert!(!sut.is_hit("-O1 -c a.c").await, "arguments");
    sut.write("h.h", "#define TEXT \"two\"\n");
    assert!(!sut.is_hit("-c a.c").await, "a header");
    sut.write("h.h", "#define TEXT \"one\"\n");
    assert!(sut.is_hit("-c a.c").await, "as it was");
    sut.write("a.c", &SOURCE.replace("int unused", "int unused /* really */"));
    assert!(!sut.is_hit("-c a.c").await, "a comment, which a diagnostic may quote");
    sut.write("a.c", SOURCE);
    // A header that newly comes first.
    sut.write("first/h.h", "#define TEXT \"three\"\n");
    sut.write("second/h2.h", "");
    sut.write("b.c", "#include <h2.h>\nint b;\n");
    assert!(!sut.is_hit("-Ifirst -Isecond -c b.c").await);
    assert!(sut.is_hit("-Ifirst -Isecond -c b.c").await);
    sut.write("first/h2.h", "int c;\n");
    assert!(!sut.is_hit("-Ifirst -Isecond -c b.c").await, "a header that comes first");
    // Variables.
    let with = |name: &str, value: &str| {
        let mut request = sut.request(sut.compiler(), "-c a.c");
        request.env.as_mut().unwrap().push((name.to_owned(), value.to_owned()));
        request
    };
    assert!(sut.compile_as(with("HOME", "/elsewhere")).await.cached);
    assert!(!sut.compile_as(with("CPATH", "/nowhere")).await.cached);
    assert!(!sut.compile_as(with("SOURCE_DATE_EPOCH", "1")).await.cached);
}

#[tokio::test]
async fn the_directory_matters_where_the_object_tells_it() {
    let _watchdog = watchdog(LIMIT);
    let sut = project();
    for dir in ["one", "two"] {
        sut.write(&format!("{dir}/a.c"), "int a;\n");
    }
    let within = |dir: &str, line: &str| CompileEphemeral {
        cwd: sut.path(dir).into(),
        ..sut.request(sut.compiler(), line)
    };
    for (line, expected) in [("-c a.c", true), ("-g -c a.c", false), ("-g0 -c a.c", true)] {
        assert!(!sut.compile_as(within("one", line)).await.cached, "{line}");
        assert_eq!(sut.compile_as(within("two", line)).await.cached, expected, "{line}");
        assert!(sut.path("two/a.o").exists());
    }
    // Compilers take the name of the directory from a variable, where it is one.
    let named = |name: &str, line: &str| {
        let mut request = within("one", line);
        request.env.as_mut().unwrap().push(("PWD".to_owned(), sut.path(name).to_str().unwrap().to_owned()));
        request
    };
    assert!(!sut.compile_as(named("link", "-g -c a.c")).await.cached);
    assert!(sut.compile_as(named("link", "-g -c a.c")).await.cached);
    assert!(sut.compile_as(named("link", "-g0 -c a.c")).await.cached);
}

#[tokio::test]
async fn an_unknown_command_line_is_run_each_time() {
    let _watchdog = watchdog(LIMIT);
    let sut = project();
    sut.write("e.c", "int e;\n");
    for (line, output) in [
        ("-S a.c", "a.s"),
        ("-c e.c -save-temps", "e.o"),
        (if cfg!(windows) { "-c e.c -o nul" } else { "-c e.c -o /dev/null" }, "e.c"),
        ("-shared -fPIC e.c -o e.so", "e.so"),
        ("e.c -E -o e.i", "e.i"),
    ] {
        for _ in 0..2 {
            assert!(!sut.is_hit(line).await, "{line}");
        }
        assert!(sut.path(output).exists(), "{line}");
    }
    // A script may do anything.
    let compiler = sut.compiler();
    let (name, text) = if cfg!(windows) {
        ("gcc.cmd", format!("@\"{compiler}\" %*\r\n"))
    } else {
        ("gcc", format!("#!/bin/sh\nexec {compiler} \"$@\"\n"))
    };
    let script = sut.path(name);
    fs::write(&script, text).unwrap();
    set_mode(&script, "+x");
    for _ in 0..2 {
        assert!(!sut.compile_as(sut.request(script.clone(), "-c a.c")).await.cached);
    }
    let status = sut.status().await;
    assert_eq!((status.non_cacheable, status.cache_misses, status.artifact_count), (12, 0, 0));
}

/// Changes the mode, which files of Windows do not have.
fn set_mode(path: &Path, mode: &str) {
    if !cfg!(windows) {
        let status = std::process::Command::new("/bin/chmod").arg(mode).arg(path).status();
        assert!(status.unwrap().success());
    }
}

#[tokio::test]
async fn a_compilation_that_fails_says_so_each_time_and_is_not_stored() {
    let _watchdog = watchdog(LIMIT);
    let sut = project();
    sut.write("bad.c", "int x\n");
    sut.write("fails.c", "#error no\n");
    sut.write("dir.c/file", "");
    sut.write("unreadable.c", "int u;\n");
    set_mode(&sut.path("unreadable.c"), "000");
    let is_root = fs::read(sut.path("unreadable.c")).is_ok();
    // To root everything can be read, a directory excepted.
    let unreadable = if is_root { "-c dir.c" } else { "-c unreadable.c" };
    let lines = ["-c bad.c", "-c fails.c", "-c missing.c", "-c a.c -o missing/a.o", "-c -frobnicate a.c"];
    for line in lines.into_iter().chain(["-c dir.c", unreadable]) {
        let results = [sut.cc(line).await, sut.cc(line).await];
        for result in &results {
            assert!(
                result.exit_code != 0 && !result.cached && !result.stderr.is_empty(),
                "{line}: {result:?}"
            );
        }
        assert_eq!(results[0], results[1], "{line}");
    }
    let status = sut.status().await;
    assert_eq!((status.compile_errors, status.non_cacheable), (12, 2));
    assert_eq!(status.total_compilations, 14);
    // Only the compiler's own words and the hash of its assembler are kept. That of the stand-in is too young at first.
    assert!(status.artifact_count == 2 || cfg!(windows) && status.artifact_count == 1, "{status:?}");
}

#[tokio::test]
async fn a_hit_that_cannot_be_put_in_its_place_is_compiled_where_the_compiler_can() {
    let _watchdog = watchdog(LIMIT);
    let sut = project();
    assert!(!sut.is_hit("-c a.c").await);
    // Where there is no directory the compiler says so itself.
    let nowhere = sut.cc("-c a.c -o missing/a.o").await;
    assert!(nowhere.exit_code != 0 && !nowhere.cached && !nowhere.stderr.is_empty(), "{nowhere:?}");
    // A directory is in its place.
    sut.write("d.o/file", "");
    let directory = sut.cc("-c a.c -o d.o").await;
    assert!(directory.exit_code != 0 && !directory.cached, "{directory:?}");
}

#[tokio::test]
async fn a_session_counts_its_compilations_and_its_variables_win() {
    let _watchdog = watchdog(LIMIT);
    let sut = project();
    let options = PrivateDaemonSessionOptions {
        env: vec![("CPATH".to_owned(), sut.path("private").to_str().unwrap().to_owned())],
        ..Default::default()
    };
    let session_id = sut.start(SessionStart { private_daemon: Some(options), ..tracked() }).await;
    sut.write("private/p.h", "int p;\n");
    sut.write("p.c", "#include <p.h>\n");
    let compile = |line: &str| {
        let request = sut.request(sut.compiler(), line);
        Request::from(Compile {
            session_id: session_id.clone(),
            args: request.args,
            cwd: request.cwd,
            compiler: request.compiler,
            env: request.env.map(|mut env| {
                env.push(("CPATH".to_owned(), "/nowhere".to_owned()));
                env
            }),
            stdin: request.stdin,
        })
    };
    for (line, exit_code, cached) in
        [("-c p.c", 0, false), ("-c p.c", 0, true), ("-S p.c", 0, false), ("-c missing.c", 1, false)]
    {
        match sut.ask(compile(line)).await {
            Response::CompileResult(result) => {
                assert_eq!((result.exit_code, result.cached), (exit_code, cached), "{line}: {result:?}");
            }
            other => panic!("{other:?}"),
        }
    }
    match sut.ask(Request::SessionEnd(SessionId { session_id: session_id.clone() })).await {
        Response::SessionEnded(SessionStatsReply { stats: Some(stats) }) => {
            let figures = (stats.compilations, stats.hits, stats.misses, stats.non_cacheable, stats.errors);
            assert_eq!(figures, (4, 1, 1, 1, 1));
            assert!(stats.bytes_read > 0 && stats.bytes_read == stats.bytes_written, "{stats:?}");
            assert_eq!(stats.unique_sources, 1);
            let phases = stats.phase_profile.unwrap();
            assert_eq!((phases.hit_count, phases.miss_count), (1, 1));
            assert!(phases.compiler_exec_ns > 0 && phases.artifact_lookup_ns > 0, "{phases:?}");
        }
        other => panic!("{other:?}"),
    }
    // A session that is not open is no reason not to compile; an id that is none is.
    match sut.ask(compile("-c missing.c")).await {
        Response::CompileResult(result) => assert_eq!(result.exit_code, 1),
        other => panic!("{other:?}"),
    }
    let invalid = Request::from(Compile { session_id: "x".to_owned(), ..Compile::default() });
    assert_eq!(sut.ask(invalid).await, Response::error("invalid session ID: x"));
}

#[tokio::test]
async fn a_store_that_is_gone_costs_hits_and_no_compilation() {
    let _watchdog = watchdog(LIMIT);
    let sut = project();
    assert!(!sut.is_hit("-c a.c").await);
    sut.service.close().await;
    for _ in 0..2 {
        fs::remove_file(sut.path("a.o")).unwrap();
        assert!(!sut.is_hit("-c a.c").await);
        assert!(sut.path("a.o").exists());
    }
}
