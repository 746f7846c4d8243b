//! Tests of runs: what released daemons answer, and what must never be a hit.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use testkit::watchdog;
use zccache_ipc::endpoint::{InodeStamp, file_clock_ns};
use zccache_ipc::model::{ArtifactPayload, ExecOutputStreams, NormalizedPath};

use super::*;
use crate::{store, tool};

mod dependencies;

const LIMIT: Duration = Duration::from_secs(60);

struct Sut {
    runner: Runner,
    tool: PathBuf,
    dir: TempDir,
}

impl Sut {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let store = Store::open(&dir.path().join("store"), store::Limits::default()).unwrap();
        let tools = Arc::new(Tools::new(tool::Limits::default(), dir.path().to_owned()));
        let tool = testkit::stand_in(dir.path(), "acts");
        let sut = Self { runner: Runner::new(Arc::new(store), tools), tool, dir };
        fs::create_dir(sut.cwd()).unwrap();
        sut.put("input", "input");
        sut.put("in.txt", "input");
        sut
    }

    fn cwd(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    fn path(&self, name: &str) -> NormalizedPath {
        self.cwd().join(name).into()
    }

    /// Writes a file as of long ago.
    fn put(&self, name: &str, text: &str) {
        let path = self.cwd().join(name);
        fs::write(&path, text).unwrap();
        let time = SystemTime::now() - Duration::from_secs(1000);
        fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        // The clock of files has ticks, and a file of the current tick may have changed during the run.
        let changed = InodeStamp::of(&fs::metadata(&path).unwrap()).map_or(0, |stamp| stamp.changed_ns);
        while file_clock_ns() <= changed {
            std::thread::yield_now();
        }
    }

    /// A request whose tool logs that it ran, and then does what `actions` say.
    fn request(&self, actions: &[&str]) -> GenericToolExec {
        let args = ["append=log=run\n"].iter().chain(actions).map(|arg| (*arg).to_owned()).collect();
        GenericToolExec {
            tool: self.tool.as_path().into(),
            args,
            cwd: self.cwd().into(),
            env: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
            input_files: vec![self.path("input")],
            output_streams: ExecOutputStreams { stdout: true, stderr: true },
            ..GenericToolExec::default()
        }
    }

    /// A request whose tool logs that it ran, and then runs a script of a shell.
    #[cfg(unix)]
    fn script(&self, script: &str) -> GenericToolExec {
        let args = vec!["-c".to_owned(), format!("echo run >> log; {script}")];
        GenericToolExec { tool: "/bin/sh".into(), args, ..self.request(&[]) }
    }

    async fn exec(&self, request: &GenericToolExec) -> Result<GenericToolExecResult, ExecError> {
        let runs = self.runs();
        let result = self.runner.exec(request.clone(), None).await?;
        assert_eq!(self.runs() == runs, result.cached, "a hit runs nothing, and nothing else is one");
        assert_eq!(result.cache_key_hex.len(), 64);
        Ok(result)
    }

    /// Returns true if the answer came from the store.
    async fn hits(&self, request: &GenericToolExec) -> bool {
        self.exec(request).await.unwrap().cached
    }

    fn runs(&self) -> usize {
        fs::read_to_string(self.cwd().join("log")).map_or(0, |log| log.lines().count())
    }
}

fn text(path: impl AsRef<Path>) -> Option<String> {
    fs::read_to_string(path).ok()
}

#[tokio::test]
async fn a_run_is_given_again_with_its_streams_its_code_and_its_files() {
    let _watchdog = watchdog(LIMIT);
    let sut = Sut::new();
    // Recorded from the daemon of zccache 1.12.9: a failure is a result too.
    let actions = ["out=out-a\n", "err=err\n", "write=o.txt=file a\n", "exit=3"];
    let request = GenericToolExec { output_files: vec![sut.path("o.txt")], ..sut.request(&actions) };
    let first = sut.exec(&request).await.unwrap();
    assert_eq!((first.exit_code, &first.stdout[..], &first.stderr[..]), (3, &b"out-a\n"[..], &b"err\n"[..]));
    assert_eq!(first.output_files[0].payload, ArtifactPayload::Bytes(Bytes::from("file a\n")));
    assert!(!first.cached);
    fs::remove_file(sut.cwd().join("o.txt")).unwrap();
    let again = sut.exec(&request).await.unwrap();
    assert_eq!(again, GenericToolExecResult { cached: true, ..first });
    assert_eq!(text(sut.cwd().join("o.txt")).as_deref(), Some("file a\n"));
}

#[tokio::test]
async fn every_declared_input_is_in_the_key() {
    let _watchdog = watchdog(LIMIT);
    let sut = Sut::new();
    let base = GenericToolExec { input_files: vec![sut.path("in.txt")], ..sut.request(&["out=a"]) };
    assert!(!sut.hits(&base).await && sut.hits(&base).await);
    let changes: Vec<(&str, GenericToolExec)> = vec![
        ("arguments", GenericToolExec { args: sut.request(&["out=b"]).args, ..base.clone() }),
        (
            "variables",
            GenericToolExec {
                env: [base.env.clone(), vec![("FOO".into(), "1".into())]].concat(),
                ..base.clone()
            },
        ),
        (
            "more inputs",
            GenericToolExec { input_files: vec![sut.path("in.txt"), sut.path("input")], ..base.clone() },
        ),
        ("extra bytes", GenericToolExec { input_extra: Bytes::from("x"), ..base.clone() }),
        (
            "streams",
            GenericToolExec {
                output_streams: ExecOutputStreams { stdout: true, stderr: false },
                ..base.clone()
            },
        ),
        ("tool hash", GenericToolExec { tool_hash: Some([1; 32]), ..base.clone() }),
        ("directory", GenericToolExec { cwd_in_key: true, ..base.clone() }),
    ];
    for (what, request) in changes {
        assert!(!sut.hits(&request).await, "{what}");
        assert!(sut.hits(&request).await, "{what}");
    }
    sut.put("in.txt", "other");
    assert!(!sut.hits(&base).await, "the content of an input");
    // Neither the order of variables nor an overridden one enters the key.
    let twice = GenericToolExec {
        env: [vec![("PATH".into(), "/x".into())], base.env.clone()].concat(),
        ..base.clone()
    };
    assert!(sut.hits(&twice).await);
}

#[tokio::test]
async fn another_directory_is_another_run_only_where_that_is_asked_for() {
    let _watchdog = watchdog(LIMIT);
    let sut = Sut::new();
    let other = sut.dir.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::copy(sut.cwd().join("input"), other.join("input")).unwrap();
    let there = |request: &GenericToolExec| GenericToolExec {
        cwd: other.as_path().into(),
        input_files: vec![other.join("input").into()],
        ..request.clone()
    };
    let request = sut.request(&["out=a"]);
    assert!(!sut.hits(&request).await);
    assert!(sut.runner.exec(there(&request), None).await.unwrap().cached);
    let request = GenericToolExec { cwd_in_key: true, ..request };
    assert!(!sut.hits(&request).await);
    assert!(!sut.runner.exec(there(&request), None).await.unwrap().cached);
}

#[tokio::test]
async fn policies_and_a_run_that_differs_each_time_keep_the_store_out() {
    let _watchdog = watchdog(LIMIT);
    let sut = Sut::new();
    let request = sut.request(&["out=a"]);
    let of = |cache_policy| GenericToolExec { cache_policy, ..request.clone() };
    assert!(!sut.hits(&of(ExecCachePolicy::ReadOnly)).await);
    assert!(!sut.hits(&of(ExecCachePolicy::Bypass)).await);
    assert!(!sut.hits(&of(ExecCachePolicy::Normal)).await, "neither of them has stored anything");
    assert!(sut.hits(&of(ExecCachePolicy::ReadOnly)).await);
    assert!(!sut.hits(&of(ExecCachePolicy::Bypass)).await);
    let differs = GenericToolExec { non_deterministic: true, ..sut.request(&["out=b"]) };
    assert!(!sut.hits(&differs).await && !sut.hits(&differs).await);
}

#[tokio::test]
async fn arguments_that_a_filter_matches_are_not_in_the_key() {
    let _watchdog = watchdog(LIMIT);
    let sut = Sut::new();
    let filtered = |number: &str, filter: &str| GenericToolExec {
        key_args_filter: vec![filter.to_owned()],
        ..sut.request(&["out=a", &format!("--tmp={number}")])
    };
    assert!(!sut.hits(&filtered("1", "^--tmp=")).await);
    assert!(sut.hits(&filtered("2", "^--tmp=")).await);
    assert!(!sut.hits(&filtered("3", "^tmp=")).await);
    let refused = sut.exec(&filtered("1", "(")).await.unwrap_err();
    assert_eq!(refused.to_string(), r#"invalid key-args-filter regex: "(""#);
}

#[tokio::test]
async fn a_result_that_is_not_whole_is_not_stored() {
    let _watchdog = watchdog(LIMIT);
    let sut = Sut::new();
    let missing = GenericToolExec { output_files: vec![sut.path("missing")], ..sut.request(&["out=a"]) };
    for _ in 0..2 {
        let result = sut.exec(&missing).await.unwrap();
        assert_eq!((result.cached, result.output_files, result.exit_code), (false, vec![], 0));
    }
    fs::create_dir(sut.cwd().join("missing")).unwrap();
    assert!(!sut.hits(&missing).await, "a directory is no file");
    // The output is its own input, which the run has replaced.
    let changes =
        GenericToolExec { input_files: vec![sut.path("in.txt")], ..sut.request(&["write=in.txt=file c\n"]) };
    assert!(!sut.hits(&changes).await);
    sut.put("in.txt", "input");
    assert!(!sut.hits(&changes).await);
}

#[tokio::test]
async fn an_input_that_changes_during_the_run_and_is_put_back_keeps_the_result_out() {
    let _watchdog = watchdog(LIMIT);
    let sut = Sut::new();
    sut.put("in.txt", "a");
    let actions = ["write=in.txt=b", "out=made of b", "write=in.txt=a"];
    let request = GenericToolExec { input_files: vec![sut.path("in.txt")], ..sut.request(&actions) };
    assert!(!sut.hits(&request).await && !sut.hits(&request).await);
    assert_eq!(sut.runs(), 2);
    let untouched =
        GenericToolExec { input_files: vec![sut.path("in.txt")], ..sut.request(&["out=made of a"]) };
    assert!(!sut.hits(&untouched).await && sut.hits(&untouched).await);
}

#[tokio::test]
async fn an_output_that_the_run_left_alone_is_no_result() {
    let _watchdog = watchdog(LIMIT);
    let sut = Sut::new();
    for code in [0, 3] {
        sut.put("old.txt", "of an earlier run");
        let output_files = vec![sut.path("old.txt")];
        let request = GenericToolExec { output_files, ..sut.request(&[&format!("exit={code}")]) };
        let first = sut.exec(&request).await.unwrap();
        assert_eq!((first.exit_code, first.cached), (code, false));
        fs::remove_file(sut.cwd().join("old.txt")).unwrap();
        assert!(!sut.hits(&request).await, "{code}");
        assert_eq!(text(sut.cwd().join("old.txt")), None);
    }
}

#[tokio::test]
async fn filters_and_depfiles_that_take_much_memory_are_not_used() {
    let _watchdog = watchdog(LIMIT);
    let sut = Sut::new();
    let filtered =
        |filters: Vec<String>| GenericToolExec { key_args_filter: filters, ..sut.request(&["out=a"]) };
    let refused = sut.exec(&filtered(vec!["x".to_owned(); 4097])).await.unwrap_err();
    assert_eq!(refused.to_string(), "the key-args-filter regexes have 4097 bytes, and 4096 are the most");
    let large = (0..200).map(|number| format!(r"[\pL\pN]{{100}}{number}")).collect();
    let refused = sut.exec(&filtered(large)).await.unwrap_err();
    assert!(
        matches!(refused, ExecError::Filter { source: regex::Error::CompiledTooBig(_), .. }),
        "{refused}"
    );
    sut.put("long", &"x".repeat(2_000_000));
    let actions = ["write=a.d=a.o: ", "extend=a.d=long"];
    let request = GenericToolExec { depfile: Some("a.d".into()), ..sut.request(&actions) };
    assert!(!sut.hits(&request).await && !sut.hits(&request).await);
}

#[tokio::test]
async fn inputs_that_cannot_be_read_and_outputs_that_are_too_large_are_errors() {
    let _watchdog = watchdog(LIMIT);
    let sut = Sut::new();
    let runs = sut.runs();
    for name in ["missing", "."] {
        let path = sut.path(name);
        let request = GenericToolExec { input_files: vec![path.clone()], ..sut.request(&["out=a"]) };
        let refused = sut.exec(&request).await.unwrap_err().to_string();
        assert_eq!(refused, format!("cannot hash input file {path}"));
    }
    assert_eq!(sut.runs(), runs, "nothing ran");
    let request =
        GenericToolExec { output_files: vec![sut.path("large")], ..sut.request(&["fill=large=17000000"]) };
    let refused = sut.exec(&request).await.unwrap_err().to_string();
    assert!(refused.starts_with("the output files have 17000000 bytes"), "{refused}");
}

#[cfg(unix)]
#[tokio::test]
async fn the_null_device_is_an_empty_input_and_other_devices_are_errors() {
    let _watchdog = watchdog(LIMIT);
    let sut = Sut::new();
    let with = |input: &str| GenericToolExec { input_files: vec![input.into()], ..sut.request(&["out=a"]) };
    assert!(!sut.hits(&with("/dev/null")).await && sut.hits(&with("/dev/null")).await);
    let refused = sut.exec(&with("/dev/zero")).await.unwrap_err().to_string();
    assert_eq!(refused, "cannot hash input file /dev/zero");
}

#[cfg(unix)]
#[tokio::test]
async fn an_output_keeps_its_permissions() {
    use std::os::unix::fs::PermissionsExt as _;
    let _watchdog = watchdog(LIMIT);
    let sut = Sut::new();
    for (mode, hits) in [("600", true), ("640", true), ("775", true), ("4755", false)] {
        let script = format!("echo file > o; chmod {mode} o");
        let request = GenericToolExec { output_files: vec![sut.path("o")], ..sut.script(&script) };
        assert!(!sut.hits(&request).await);
        fs::remove_file(sut.cwd().join("o")).unwrap();
        assert_eq!(sut.hits(&request).await, hits, "{mode}");
        let found = fs::metadata(sut.cwd().join("o")).unwrap().permissions().mode() & 0o7777;
        assert_eq!(format!("{found:o}"), mode);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_run_that_a_signal_ended_is_not_stored() {
    let _watchdog = watchdog(LIMIT);
    let sut = Sut::new();
    let killed = sut.script("kill -9 $$");
    for _ in 0..2 {
        let result = sut.exec(&killed).await.unwrap();
        assert_eq!((result.cached, result.exit_code), (false, 1));
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_program_that_was_made_is_one_again() {
    use std::os::unix::fs::PermissionsExt as _;
    let _watchdog = watchdog(LIMIT);
    let sut = Sut::new();
    let request = GenericToolExec {
        output_files: vec![sut.path("program")],
        ..sut.script("echo file > program; chmod 755 program")
    };
    assert!(!sut.hits(&request).await);
    fs::remove_file(sut.cwd().join("program")).unwrap();
    assert!(sut.hits(&request).await);
    assert_eq!(fs::metadata(sut.cwd().join("program")).unwrap().permissions().mode() & 0o777, 0o755);
}
