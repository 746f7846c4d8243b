//! The other process of a test: this test program again, running one of the parts below.

use std::{
    io::{BufRead, BufReader, Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use super::{STRANGER, endpoint};
use crate::{Claim, ClaimError, DirPolicy, detach_session};

/// A part that another process plays; killed on drop.
pub(super) struct Part {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Part {
    pub(super) fn play(part: &str, lines: &[&str]) -> Self {
        Self::start(Command::new(own_program()), part, lines)
    }

    /// Starts the part as another user; needs root.
    pub(super) fn play_as_stranger(part: &str, lines: &[&str]) -> Self {
        let mut command = Command::new("setpriv");
        let id = STRANGER.to_string();
        command.args(["--reuid", &id, "--regid", &id, "--clear-groups"]).arg(own_program());
        Self::start(command, part, lines)
    }

    fn start(mut command: Command, part: &str, lines: &[&str]) -> Self {
        let name = format!("os::sys::tests::helper::{part}");
        command.args(["--exact", &name, "--ignored", "--nocapture", "--test-threads=1", "--quiet"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("this program can be started again");
        let mut input = child.stdin.take().expect("piped");
        for line in lines {
            writeln!(input, "{line}").expect("it reads");
        }
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, input: Some(input), output }
    }

    /// Returns the part's next line, without the output of the test harness.
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

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills the part, like a crash.
    pub(super) fn kill(mut self) {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it is ours");
    }

    /// Lets the part run to its end.
    pub(super) fn finish(mut self) {
        self.input = None;
        self.child.wait().expect("it is ours");
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn own_program() -> std::path::PathBuf {
    std::env::current_exe().expect("this program has a file")
}

/// Returns the starter's lines; `None` if a person runs the ignored tests by hand.
fn instructions<const N: usize>() -> Option<[String; N]> {
    let mut lines = std::io::stdin().lines();
    let told: Vec<String> = lines.by_ref().take(N).map_while(Result::ok).collect();
    told.try_into().ok()
}

fn say(text: &str) {
    println!("\nSAYS {text}");
}

fn wait_for_the_end_of_input() {
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

#[test]
#[ignore = "a part in other tests"]
fn a_daemon() {
    let Some([socket, lock_file]) = instructions() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _runtime = runtime.enter();
    match Claim::take(&endpoint(Path::new(&socket)), Path::new(&lock_file), DirPolicy::Dedicated) {
        Ok(mut claim) => {
            let listener = claim.bind();
            say(if listener.is_ok() { "won" } else { "could not bind" });
            wait_for_the_end_of_input();
        }
        Err(ClaimError::Held { by: Some(by), .. }) => say(&format!("held by {by}")),
        Err(error) => say(&format!("{error:?}")),
    }
}

#[test]
#[ignore = "a part in other tests"]
fn a_plain_listener() {
    let Some([socket]) = instructions() else { return };
    let _listener = UnixListener::bind(socket).unwrap();
    say("listening");
    wait_for_the_end_of_input();
}

#[test]
#[ignore = "a part in other tests"]
fn a_plain_client() {
    let Some([socket]) = instructions() else { return };
    let mut stream = UnixStream::connect(socket).unwrap();
    say(&format!("{:?}", stream.read_to_end(&mut Vec::new()).map_err(|error| error.kind())));
}

#[test]
#[ignore = "a part in other tests"]
fn a_session_leader() {
    let Some([]) = instructions::<0>() else { return };
    let first = detach_session().is_ok();
    let again = detach_session().is_ok();
    // Only now is `getsid` safe: before, the session may have no number in this PID namespace.
    let leads = first && rustix::process::getsid(None).unwrap() == rustix::process::getpid();
    say(&format!("{first} {again} {leads}"));
}

#[test]
#[ignore = "a part in other tests"]
fn a_group_leader() {
    let Some([]) = instructions::<0>() else { return };
    rustix::process::setpgid(None, None).unwrap();
    say(&format!("{:?}", detach_session().map_err(|error| error.kind())));
}

#[test]
#[ignore = "a part in other tests"]
fn an_own_client() {
    let Some([socket]) = instructions() else { return };
    match crate::blocking::Stream::connect(&endpoint(Path::new(&socket)), super::soon()) {
        Ok(_) => say("connected"),
        Err(error) => say(&format!("{error:?}")),
    }
}
