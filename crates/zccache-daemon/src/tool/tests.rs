//! Tests of tools as a client sees them.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::sync::Arc;

use tempfile::TempDir;
use testkit::watchdog;

use super::*;

const LIMIT: Duration = Duration::from_secs(60);

fn shell(script: &str) -> Tool {
    Tool {
        program: "/bin/sh".into(),
        args: vec!["-c".to_owned(), script.to_owned()],
        cwd: "/".into(),
        env: Some(vec![("A".to_owned(), "1 ü".to_owned())]),
        stdin: Bytes::new(),
    }
}

async fn run(tool: &Tool) -> Result<Ran, ToolError> {
    let tools = Tools::new(Limits::default(), std::env::temp_dir());
    let permit = tools.permit().await?;
    permit.run(tool, MOST_OUTPUT, None).await
}

/// A tool that does what `actions` say.
fn acting(dir: &TempDir, actions: &[&str]) -> Tool {
    Tool {
        program: testkit::stand_in(dir.path(), "acts"),
        args: actions.iter().map(|&action| action.to_owned()).collect(),
        cwd: dir.path().to_owned(),
        ..shell("")
    }
}

#[tokio::test]
async fn a_tool_gets_the_clients_input_and_its_streams_return_unchanged() {
    let _watchdog = watchdog(LIMIT);
    let dir = TempDir::new().unwrap();
    let actions =
        ["input", "bytes=ff0078", "directory", "variable=A", "variable=HOME", "err=one two\r\n", "exit=7"];
    let mut tool = acting(&dir, &actions);
    if cfg!(unix) {
        tool.cwd = dir.path().canonicalize().unwrap();
    }
    tool.stdin = Bytes::from_static(b"in\r\n\0");
    let ran = run(&tool).await.unwrap();
    let expected = [b"in\r\n\0\xff\0x", tool.cwd.to_str().unwrap().as_bytes(), "1 ü".as_bytes()].concat();
    assert_eq!((ran.code, &ran.stdout[..]), (Some(7), &expected[..]));
    assert_eq!(ran.stderr, &b"one two\r\n"[..]);
}

#[tokio::test]
async fn a_tool_that_a_signal_ended_has_no_code_and_keeps_its_output() {
    let _watchdog = watchdog(LIMIT);
    let ran = run(&shell("echo out; kill -9 $$")).await.unwrap();
    assert_eq!((ran.code, &ran.stdout[..]), (None, &b"out\n"[..]));
}

#[tokio::test]
async fn a_tool_or_a_directory_that_is_not_there_is_the_callers_error() {
    let _watchdog = watchdog(LIMIT);
    let dir = TempDir::new().unwrap();
    let missing = Tool { program: dir.path().join("missing"), ..acting(&dir, &[]) };
    let nowhere = Tool { cwd: dir.path().join("missing"), ..acting(&dir, &[]) };
    for tool in [missing, nowhere] {
        let error = run(&tool).await.unwrap_err();
        let ToolError::Start(error) = error else { panic!("{error}") };
        // Windows has an error of its own for a directory.
        let is_missing = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
        assert!(is_missing, "{error}");
    }
}

#[tokio::test]
async fn a_tool_that_writes_too_much_is_ended_and_says_so() {
    let _watchdog = watchdog(LIMIT);
    let dir = TempDir::new().unwrap();
    let tools = Tools::new(Limits::default(), std::env::temp_dir());
    let permit = tools.permit().await.unwrap();
    let error = permit.run(&acting(&dir, &["zeros=1000000000000"]), 100_000, None).await.unwrap_err();
    assert!(matches!(error, ToolError::TooMuchOutput { limit: 100_000 }), "{error}");
    // Both streams count.
    let both = acting(&dir, &["zeros=600", &format!("err={:0600}", 0)]);
    assert!(permit.run(&both, 1199, None).await.is_err());
    assert_eq!(permit.run(&both, 1200, None).await.unwrap().stderr.len(), 600);
}

#[tokio::test]
async fn large_output_returns_whole_through_a_file_without_a_name() {
    let _watchdog = watchdog(LIMIT);
    let (dir, spare) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let tools = Tools::new(Limits::default(), spare.path().to_owned());
    let permit = tools.permit().await.unwrap();
    let text = "t".repeat(10_000);
    for zeros in [0, 4096, 65_536, 65_537, 3_000_000] {
        let actions = [&*format!("zeros={zeros}"), &format!("err={text}"), &format!("out={text}")];
        let ran = permit.run(&acting(&dir, &actions), MOST_OUTPUT, None).await.unwrap();
        assert_eq!(ran.stderr, text.as_bytes());
        let expected = [vec![0; zeros], text.clone().into_bytes()].concat();
        assert!(ran.stdout == expected, "{zeros}: {} bytes", ran.stdout.len());
        assert_eq!(std::fs::read_dir(spare.path()).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn a_tool_that_leaves_input_unread_or_its_output_to_another_program_still_ends() {
    let _watchdog = watchdog(LIMIT);
    let dir = TempDir::new().unwrap();
    let unread = Tool { stdin: Bytes::from(vec![1; 1 << 20]), ..acting(&dir, &["exit=3"]) };
    assert_eq!(run(&unread).await.unwrap().code, Some(3));
    let left = run(&acting(&dir, &["out=now", "leave=held"])).await.unwrap();
    assert_eq!(&left.stdout[..], b"now");
    std::fs::remove_file(dir.path().join("held")).expect("the other program waits until it is gone");
}

#[tokio::test]
async fn a_cancelled_run_ends_all_processes_of_its_tool() {
    let _watchdog = watchdog(LIMIT);
    let dir = TempDir::new().unwrap();
    // Both of them ignore the request to end, and hold the pipe.
    let pipe = dir.path().join("pipe");
    for pipe in [&pipe, &dir.path().join("never")] {
        assert!(Command::new("/usr/bin/mkfifo").arg(pipe).status().unwrap().success());
    }
    let script = "exec 3>pipe; trap '' TERM
        /bin/sh -c 'trap \"\" TERM; echo child >&3; read never <never' & echo leader >&3; wait";
    let tool = Tool { cwd: dir.path().to_owned(), ..shell(script) };
    let (told, both_run) = tokio::sync::oneshot::channel();
    let reader = tokio::task::spawn_blocking(move || {
        let mut lines = BufReader::new(File::open(&pipe).unwrap());
        let mut text = String::new();
        while text.lines().count() < 2 {
            lines.read_line(&mut text).unwrap();
        }
        told.send(()).unwrap();
        // The pipe ends when no writer is left.
        lines.read_to_string(&mut text).unwrap();
        text
    });
    let task = tokio::spawn(async move { run(&tool).await });
    both_run.await.unwrap();
    task.abort();
    let text = reader.await.unwrap();
    assert!(text.contains("leader\n") && text.contains("child\n"), "{text}");
}

#[tokio::test]
async fn tools_beyond_the_limit_wait_and_are_refused_when_it_takes_too_long() {
    let _watchdog = watchdog(LIMIT);
    let tools = Arc::new(Tools::new(
        Limits { running: 1, queue_timeout: Duration::from_millis(20) },
        std::env::temp_dir(),
    ));
    let permit = tools.permit().await.unwrap();
    let error = tools.permit().await.unwrap_err();
    assert!(matches!(error, ToolError::Busy { waiting: 1, .. }), "{error}");
    let patient = Arc::new(Tools::new(Limits { running: 1, queue_timeout: LIMIT }, std::env::temp_dir()));
    let held = patient.permit().await.unwrap();
    let waiting = tokio::spawn({
        let patient = Arc::clone(&patient);
        async move { patient.permit().await.map(drop) }
    });
    drop((held, permit));
    waiting.await.unwrap().unwrap();
    tools.permit().await.unwrap();
}
