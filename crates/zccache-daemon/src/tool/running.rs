//! A started tool, which does not outlive the request that waits for it.

use std::io;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use zccache_ipc::endpoint::{Pid, ProcessGroup};

/// The time that a tool gets after SIGTERM, to remove half-written files.
const LAST_WISH: Duration = Duration::from_millis(500);

/// A started tool. Drop ends the tool with its process group and reaps it.
#[derive(Debug)]
pub(super) struct Running {
    /// Empty once it has been handed on.
    child: Option<Child>,
}

impl Running {
    pub(super) fn start(command: Command) -> io::Result<Self> {
        let mut command = tokio::process::Command::from(command);
        // Where the runtime ends before the tool does; then the group is ended as well, see `Dying`.
        command.kill_on_drop(true);
        Ok(Self { child: Some(command.spawn()?) })
    }

    pub(super) fn streams(&mut self) -> (Option<ChildStdin>, Option<ChildStdout>, Option<ChildStderr>) {
        match &mut self.child {
            Some(child) => (child.stdin.take(), child.stdout.take(), child.stderr.take()),
            None => (None, None, None),
        }
    }

    /// Waits until it has ended. Cancelling this changes nothing.
    pub(super) async fn ended(&mut self) -> io::Result<ExitStatus> {
        match &mut self.child {
            Some(child) => child.wait().await,
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(child) = self.child.take() else { return };
        // Without an id it has been waited for.
        if child.id().is_none() {
            return;
        }
        let dying = Dying(child);
        dying.terminate();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(dying.end());
        }
    }
}

/// A tool that has been asked to end, and is made to when this is dropped.
struct Dying(Child);

impl Dying {
    fn group(&self) -> Option<ProcessGroup> {
        self.0.id().and_then(|id| Pid::new(id).ok()).map(ProcessGroup::of)
    }

    fn terminate(&self) {
        // A group that has gone needs nothing more.
        let _ = self.group().map(|group| group.terminate());
    }

    async fn end(mut self) {
        // The leader is not waited for before all of its group is ended by force: its number keeps the group's
        // from being used again.
        tokio::time::sleep(LAST_WISH).await;
        self.kill();
        if let Err(error) = self.0.wait().await {
            tracing::warn!(%error, "a tool that was given up cannot be waited for");
        }
    }

    fn kill(&self) {
        let _ = self.group().map(|group| group.kill());
    }
}

impl Drop for Dying {
    fn drop(&mut self) {
        self.kill();
    }
}
