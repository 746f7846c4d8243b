//! Runs tools for clients: with exactly the client's arguments and environment, and only while the client waits.
//!
//! A tool leads a process group of its own. When its run is given up, because the client went away or the
//! daemon ends, the whole group is asked to end and then made to.

mod claims;
mod error;
mod reading;
mod running;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::{Semaphore, SemaphorePermit};
use zccache_ipc::Caller;
use zccache_ipc::endpoint::ProcessGroup;
use zccache_ipc::model::EnvVars;

pub use claims::{Claim, Claims};
pub use error::ToolError;
use reading::{Budget, Output, read};
use running::Running;

/// The most bytes that a tool may write to both of its streams.
///
/// A reply holds that much beside its other fields.
pub const MOST_OUTPUT: usize = 16 * 1024 * 1024 - 4096;

/// The time that the streams of an ended tool are still read; a program that it left behind may hold them.
const LAST_OUTPUT: Duration = Duration::from_secs(2);

/// Limits on running tools.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most tools at one time.
    pub running: usize,
    /// The time that a further tool waits for a permit.
    pub queue_timeout: Duration,
}

impl Limits {
    /// Limits for `running` tools at once.
    #[must_use]
    pub const fn of(running: usize) -> Self {
        Self { running, queue_timeout: Duration::from_secs(60) }
    }
}

impl Default for Limits {
    /// Four for each processor, and at least 16: a tool may itself wait for another one.
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self::of((4 * processors).max(16))
    }
}

/// A tool as a client asks for it.
#[derive(Debug, Clone, Default)]
pub struct Tool {
    /// The program.
    pub program: PathBuf,
    /// Its arguments, without the program itself.
    pub args: Vec<String>,
    /// The directory it runs in.
    pub cwd: PathBuf,
    /// Its whole environment; `None` is the daemon's own.
    pub env: Option<EnvVars>,
    /// The bytes of its standard input.
    pub stdin: Bytes,
}

/// The result of a tool's run.
#[derive(Debug, Clone)]
pub struct Ran {
    /// Its exit code, or `None` when a signal ended it.
    pub code: Option<i32>,
    /// The bytes of its standard output.
    pub stdout: Bytes,
    /// The bytes of its standard error.
    pub stderr: Bytes,
    /// The run time.
    pub took: Duration,
}

/// Runs tools, a bounded number at once.
#[derive(Debug)]
pub struct Tools {
    limits: Limits,
    places: Semaphore,
    waiting: AtomicUsize,
    claims: Claims,
    /// The directory for output that is not kept in memory.
    directory: PathBuf,
}

/// A place among the tools that run.
#[derive(Debug)]
pub struct ToolPermit<'a> {
    _place: SemaphorePermit<'a>,
    directory: &'a Path,
}

impl Tools {
    /// Makes a runner of tools.
    ///
    /// Large output waits in unnamed files in `directory`.
    #[must_use]
    pub fn new(limits: Limits, directory: PathBuf) -> Self {
        let places = limits.running.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            limits,
            places: Semaphore::new(places),
            waiting: AtomicUsize::new(0),
            claims: Claims::default(),
            directory,
        }
    }

    /// Returns the claims on output places.
    #[must_use]
    pub const fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Waits for a place, in which tools run one after another.
    ///
    /// # Errors
    ///
    /// [`ToolError::Busy`] when there is none for too long.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives the place in the queue up.
    pub async fn permit(&self) -> Result<ToolPermit<'_>, ToolError> {
        let permit = |place| ToolPermit { _place: place, directory: &self.directory };
        if let Ok(place) = self.places.try_acquire() {
            return Ok(permit(place));
        }
        let waiting = Waiting::among(&self.waiting);
        let queue_timeout = self.limits.queue_timeout;
        match tokio::time::timeout(queue_timeout, self.places.acquire()).await {
            Ok(place) => Ok(permit(place.expect("this semaphore is never closed"))),
            Err(_) => Err(ToolError::Busy { waiting: waiting.number(), waited: queue_timeout }),
        }
    }
}

impl ToolPermit<'_> {
    /// Runs `tool` to its end. The memory of its output counts as memory of `caller`.
    ///
    /// # Errors
    ///
    /// [`ToolError`]; the tool does not run any more then.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the tool and its child processes.
    pub async fn run(
        &self,
        tool: &Tool,
        most_output: usize,
        caller: Option<&Caller>,
    ) -> Result<Ran, ToolError> {
        let began = Instant::now();
        let mut command = Command::new(&tool.program);
        command.args(&tool.args).current_dir(&tool.cwd);
        if let Some(env) = &tool.env {
            command.env_clear().envs(env.iter().map(|(name, value)| (name, value)));
        }
        let stdin = if tool.stdin.is_empty() { Stdio::null() } else { Stdio::piped() };
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        ProcessGroup::lead(&mut command);
        let mut running = Running::start(command).map_err(ToolError::Start)?;

        let budget = Budget::new(most_output);
        let (stdin, stdout, stderr) = running.streams();
        let feed = async {
            if let Some(mut stdin) = stdin {
                // A tool may end without reading its input.
                let _ = stdin.write_all(&tool.stdin).await;
            }
        };
        let (mut out, mut err) = (Output::default(), Output::default());
        let status = {
            let streams = async {
                let (out, err) = (&mut out, &mut err);
                let all =
                    (read(stdout, out, &budget, self.directory), read(stderr, err, &budget, self.directory));
                tokio::try_join!(all.0, all.1).map(drop)
            };
            tokio::pin!(streams, feed);
            let mut fed = false;
            let mut read_all = false;
            let status = loop {
                tokio::select! {
                    read = &mut streams, if !read_all => {
                        read?;
                        read_all = true;
                    }
                    () = &mut feed, if !fed => fed = true,
                    ended = running.ended() => break ended.map_err(ToolError::Lost)?,
                }
            };
            if !read_all && let Ok(read) = tokio::time::timeout(LAST_OUTPUT, &mut streams).await {
                read?;
            }
            status
        };
        let took = began.elapsed();
        drop(running);
        let bytes = out.len() + err.len();
        if let Some(caller) = caller {
            caller.reserve_reply(bytes).await.map_err(|_| ToolError::NoMemory { bytes })?;
        }
        let (stdout, stderr) = tokio::try_join!(out.whole(), err.whole()).map_err(ToolError::Output)?;
        Ok(Ran { code: status.code(), stdout, stderr, took })
    }
}

/// One that waits, counted as long as it does.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn among(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }

    fn number(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
