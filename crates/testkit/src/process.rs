//! A child process that never outlives its test.

use std::fmt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::wait::holds_within;

/// A child process with its output in files. A drop kills and reaps it.
///
/// With files instead of pipes, a grandchild with an inherited pipe blocks no reader, and a full pipe blocks
/// no child. A drop in a failing test prints the output.
pub struct Process {
    what: String,
    child: Child,
    stdout: NamedTempFile,
    stderr: NamedTempFile,
}

/// The exit status and the output of a process, with invalid UTF-8 replaced.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The exit status.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Process {
    /// Starts `command` without standard input.
    ///
    /// Make the command with [`TempEndpoint::command`].
    ///
    /// [`TempEndpoint::command`]: crate::TempEndpoint::command
    ///
    /// # Panics
    ///
    /// If the command cannot be started.
    #[track_caller]
    pub fn spawn(command: &mut Command) -> Self {
        let what = format!("{command:?}");
        let (stdout, stderr) = (output_file(), output_file());
        command.stdin(Stdio::null());
        command.stdout(stdout.reopen().expect("a file that was just made can be opened"));
        command.stderr(stderr.reopen().expect("a file that was just made can be opened"));
        let child = command.spawn().unwrap_or_else(|error| panic!("cannot start {what}: {error}"));
        // The command still holds the two files, and the caller may use it again.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Self { what, child, stdout, stderr }
    }

    /// Returns the process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns true if the process has not ended yet.
    #[must_use]
    pub fn is_running(&mut self) -> bool {
        self.ended().is_none()
    }

    /// Returns the standard output so far.
    #[must_use]
    pub fn stdout(&self) -> String {
        read(&self.stdout)
    }

    /// Returns the standard error so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        read(&self.stderr)
    }

    /// Waits until the process ends by itself.
    ///
    /// # Panics
    ///
    /// If the process still runs after `deadline`. The message has its output.
    #[track_caller]
    pub fn wait_exit(&mut self, deadline: Duration) -> ExitStatus {
        let mut status = None;
        let in_time = holds_within(deadline, || {
            status = self.ended();
            status.is_some()
        });
        assert!(in_time, "still running after {deadline:?}: {self}");
        status.expect("the wait ended because there is a status")
    }

    /// Waits until the process ends by itself, and returns its output.
    ///
    /// # Panics
    ///
    /// As for [`wait_exit`](Self::wait_exit).
    #[track_caller]
    pub fn finish(mut self, deadline: Duration) -> Finished {
        let status = self.wait_exit(deadline);
        Finished { status, stdout: self.stdout(), stderr: self.stderr() }
    }

    /// Kills the process (on Unix with SIGKILL), and reaps it.
    pub fn kill(&mut self) {
        let _ = self.child.kill(); // it may have ended already
        let _ = self.child.wait();
    }

    fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the child of this process can be asked for")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            #[expect(clippy::print_stderr, reason = "the test runner shows it beside the failure")]
            {
                eprintln!("{self}");
            }
        }
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, id) = (&self.what, self.child.id());
        write!(f, "{what} (pid {id})\n--- stdout\n{}\n--- stderr\n{}", self.stdout(), self.stderr())
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process").field("what", &self.what).field("id", &self.child.id()).finish()
    }
}

fn output_file() -> NamedTempFile {
    NamedTempFile::new().expect("the temporary directory takes a file")
}

fn read(file: &NamedTempFile) -> String {
    let bytes = std::fs::read(file.path()).expect("the output file lives as long as its process");
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::{TempEndpoint, eventually, watchdog};

    const SOON: Duration = Duration::from_secs(30);

    fn shell(endpoint: &TempEndpoint, script: &str) -> Process {
        Process::spawn(endpoint.command("/bin/sh").args(["-c", script]))
    }

    #[test]
    fn a_child_returns_its_output_and_status() {
        let _watchdog = watchdog(SOON);
        let finished = shell(&TempEndpoint::new(), "echo out; echo err >&2; exit 7").finish(SOON);
        assert_eq!(finished.status.code(), Some(7));
        assert_eq!((finished.stdout.as_str(), finished.stderr.as_str()), ("out\n", "err\n"));
    }

    #[test]
    fn the_environment_is_that_of_the_endpoint_and_nothing_else() {
        let _watchdog = watchdog(SOON);
        let endpoint = TempEndpoint::new();
        let finished = Process::spawn(&mut endpoint.command("/usr/bin/env")).finish(SOON);
        let mut names: Vec<_> = finished.stdout.lines().filter_map(|line| line.split_once('=')).collect();
        names.sort_unstable();
        let dir = endpoint.dir().to_str().unwrap();
        assert!(names.iter().all(|(_, value)| value.starts_with(dir)), "{names:?}");
        let names: Vec<_> = names.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["HOME", "TMPDIR", "XDG_RUNTIME_DIR", "ZCCACHE_CACHE_DIR"]);
    }

    #[test]
    fn partial_output_can_be_read_while_the_child_runs() {
        let _watchdog = watchdog(SOON);
        let endpoint = TempEndpoint::new();
        let mut process = shell(&endpoint, "echo ready; read forever; exec /bin/sleep 600 </dev/null");
        eventually(SOON, "the child speaks", || process.stdout() == "ready\n");
        assert!(process.is_running());
        process.kill();
        assert!(!process.is_running());
    }

    #[test]
    fn a_dropped_process_is_gone() {
        let _watchdog = watchdog(SOON);
        let endpoint = TempEndpoint::new();
        let process = shell(&endpoint, "exec /bin/sleep 600");
        let id = process.id();
        drop(process);
        assert!(!std::path::Path::new(&format!("/proc/{id}")).exists());
    }

    #[test]
    #[should_panic(expected = "still running after 10ms")]
    fn a_process_that_stays_is_named() {
        let _watchdog = watchdog(SOON);
        shell(&TempEndpoint::new(), "exec /bin/sleep 600").wait_exit(Duration::from_millis(10));
    }
}
