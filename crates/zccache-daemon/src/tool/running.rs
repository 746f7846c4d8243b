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
    /// Empty once it has been handed on, or let go.
    group: Option<ProcessGroup>,
}

impl Running {
    /// Starts a command that was prepared by [`ProcessGroup::lead`].
    pub(super) fn start(command: Command) -> io::Result<Self> {
        let mut command = tokio::process::Command::from(command);
        // Where the runtime ends before the tool does; then the group is ended as well, see `Dying`.
        command.kill_on_drop(true);
        let mut child = command.spawn()?;
        let first = child.id().and_then(|id| Pid::new(id).ok()).ok_or(io::ErrorKind::NotFound)?;
        match ProcessGroup::of(first) {
            Ok(group) => Ok(Self { child: Some(child), group: Some(group) }),
            Err(error) => {
                // It has not run yet where this can fail.
                child.start_kill()?;
                Err(error)
            }
        }
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
        let (Some(child), Some(group)) = (self.child.take(), self.group.take()) else { return };
        // Without an id it has been waited for.
        if child.id().is_none() {
            if let Err(error) = group.let_go() {
                tracing::debug!(%error, "the processes that a tool left behind end with it");
            }
            return;
        }
        let dying = Dying { child, group };
        dying.terminate();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(dying.end());
        }
    }
}

/// A tool that has been asked to end, and is made to when this is dropped.
struct Dying {
    child: Child,
    group: ProcessGroup,
}

impl Dying {
    fn terminate(&self) {
        // A group that has gone needs nothing more.
        let _ = self.group.terminate();
    }

    async fn end(mut self) {
        // The leader is not waited for before all of its group is ended by force: its number keeps the group's
        // from being used again.
        tokio::time::sleep(LAST_WISH).await;
        self.kill();
        if let Err(error) = self.child.wait().await {
            tracing::warn!(%error, "a tool that was given up cannot be waited for");
        }
    }

    fn kill(&self) {
        // Without an id it has been waited for, and the group's number may be another group's.
        if self.child.id().is_some() {
            let _ = self.group.kill();
        }
    }
}

impl Drop for Dying {
    fn drop(&mut self) {
        self.kill();
    }
}
