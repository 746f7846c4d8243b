//! The other process of a test: this test program again, running one of the parts below.

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    os::windows::io::{AsRawHandle, RawHandle},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{PoisonError, RwLock},
    thread,
    time::Duration,
};

use super::Endpoint;
use crate::{Claim, DirPolicy, Launch};

/// The variable that has the arguments of a part, one on each line.
pub(super) const LINES: &str = "ZCCACHE_TEST_PART";

/// Held while a test has an inheritable handle, which every program that another test starts would get.
static STARTING: RwLock<()> = RwLock::new(());

/// Lets no other test start a program.
pub(super) fn none_starts() -> impl Drop {
    STARTING.write().unwrap_or_else(PoisonError::into_inner)
}

/// Starts `command`, unless another test has an inheritable handle.
pub(super) fn start(command: &mut Command) -> Child {
    let _turn = STARTING.read().unwrap_or_else(PoisonError::into_inner);
    command.spawn().expect("this program can be started again")
}

/// Returns the arguments that make this program play `part`, which is in this file or has a module.
pub(super) fn arguments(part: &str) -> Vec<String> {
    let part = if part.contains("::") { part.to_owned() } else { format!("helper::{part}") };
    let name = format!("os::sys::tests::{part}");
    ["--exact", &name, "--ignored", "--nocapture", "--test-threads=1", "--quiet"].map(str::to_owned).into()
}

pub(super) fn own_program() -> PathBuf {
    env::current_exe().expect("this program has a path")
}

/// A part that another process plays; killed on drop.
pub(super) struct Part {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Part {
    pub(super) fn play(part: &str, lines: &[&str]) -> Self {
        let mut command = Command::new(own_program());
        command.args(arguments(part)).env(LINES, lines.join("\n"));
        Self::start(command)
    }

    /// Starts a command that plays a part.
    pub(super) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = start(&mut command);
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, input, output }
    }

    /// Returns the next thing that the part says, past the lines of the test harness.
    pub(super) fn says(&mut self) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert_ne!(self.output.read_line(&mut line).expect("text"), 0, "it ended without a word");
            if let Some((_, said)) = line.split_once("SAYS ") {
                return said.trim_end().to_owned();
            }
        }
    }

    /// Lets a part go on that waits for a line.
    pub(super) fn go_on(&mut self) {
        self.input.write_all(b"\n").expect("it reads");
    }

    pub(super) fn handle(&self) -> RawHandle {
        self.child.as_raw_handle()
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills the part, like a crash.
    pub(super) fn kill(mut self) {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it is ours");
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) fn lines() -> Vec<String> {
    env::var(LINES).unwrap_or_default().lines().map(str::to_owned).collect()
}

fn wait_for_the_end() {
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

#[test]
#[ignore = "a part"]
fn a_daemon() {
    let lines = lines();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let endpoint = Endpoint::new(lines[0].as_str());
        let mut claim = Claim::take(&endpoint, Path::new(&lines[1]), DirPolicy::Dedicated).unwrap();
        let _listener = claim.bind().unwrap();
        println!("SAYS ready");
        tokio::task::spawn_blocking(wait_for_the_end).await.unwrap();
    });
}

#[test]
#[ignore = "a part"]
fn a_sleeper() {
    println!("SAYS ready");
    thread::sleep(Duration::from_secs(60)); // the test ends it before
}

/// Starts a sleeper, says its id and sleeps too.
#[test]
#[ignore = "a part"]
fn a_starter_of_sleepers() {
    let mut sleeper = Command::new(own_program());
    let sleeper = sleeper.args(arguments("a_sleeper")).stdout(Stdio::null()).spawn().unwrap();
    println!("SAYS {}", sleeper.id());
    thread::sleep(Duration::from_secs(60)); // the test ends it before
}

/// Waits for a line, launches a program that waits while the file exists, and says its id.
#[test]
#[ignore = "a part"]
fn a_launcher() {
    println!("SAYS ready");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    let (file, root) = (PathBuf::from(&lines()[0]), env::var_os("SystemRoot").unwrap());
    let launch = Launch::new(own_program(), file.parent().unwrap()).args(arguments("a_waiter"));
    let launched = launch.env("SystemRoot", root).env(LINES, &file).spawn().unwrap();
    println!("SAYS {}", launched.pid());
    wait_for_the_end();
}

/// Waits while the file of its arguments exists.
#[test]
#[ignore = "a part"]
fn a_waiter() {
    let began = std::time::Instant::now();
    while Path::new(&lines()[0]).exists() && began.elapsed() < Duration::from_secs(60) {
        thread::sleep(Duration::from_millis(10)); // between two looks
    }
}

#[test]
#[ignore = "a part"]
fn a_child() {
    println!("SAYS {:?}", crate::Pid::parent().map(crate::Pid::get));
}

/// Ends with the exit code that its variable says.
#[test]
#[ignore = "a part"]
fn an_end() {
    std::process::exit(env::var("CODE").unwrap().parse::<u32>().unwrap().cast_signed());
}

/// Writes its variables and its directory to the file `out`.
#[test]
#[ignore = "a part"]
fn a_witness() {
    let mut text = format!("dir={}\n", env::current_dir().unwrap().display());
    for (name, value) in env::vars() {
        text += &format!("{name}={value}\n");
    }
    std::fs::write(env::var("OUT").unwrap(), text + "end\n").unwrap();
    thread::sleep(Duration::from_secs(60)); // the test ends it before
}
