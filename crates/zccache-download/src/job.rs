//! The state of one download, shared by its clients and its threads.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use zccache_ipc::download::is_over;
use zccache_ipc::model::NormalizedPath;
use zccache_ipc::model::download::{
    DownloadAttach, DownloadOptions, DownloadPhase, DownloadStatus, percentage,
};

use crate::Problem;
use crate::source::shown;

/// Progress of a download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) phase: DownloadPhase,
    pub(crate) total: Option<u64>,
    pub(crate) downloaded: u64,
    pub(crate) error: Option<String>,
}

/// One download.
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) path: PathBuf,
    pub(crate) options: DownloadOptions,
    destination: NormalizedPath,
    pub(crate) clients: AtomicU32,
    progress: watch::Sender<Progress>,
    is_cancelled: AtomicBool,
    /// Wakes threads in [`pause`](Self::pause).
    cancelled: Condvar,
    /// Aborts the requests in flight.
    agent: Mutex<Option<ureq::Agent>>,
}

impl Job {
    pub(crate) fn new(id: String, attach: DownloadAttach) -> Self {
        let progress = Progress { phase: DownloadPhase::Pending, total: None, downloaded: 0, error: None };
        Self::at(id, attach, progress)
    }

    /// Returns a complete download whose file of `len` bytes exists already.
    pub(crate) fn complete(id: String, attach: DownloadAttach, len: u64) -> Self {
        let progress =
            Progress { phase: DownloadPhase::Completed, total: Some(len), downloaded: len, error: None };
        Self::at(id, attach, progress)
    }

    fn at(id: String, attach: DownloadAttach, progress: Progress) -> Self {
        Self {
            id,
            url: attach.url,
            path: attach.destination.as_path().to_owned(),
            options: attach.options,
            destination: attach.destination,
            clients: AtomicU32::new(0),
            progress: watch::Sender::new(progress),
            is_cancelled: AtomicBool::new(false),
            cancelled: Condvar::new(),
            agent: Mutex::new(None),
        }
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    pub(crate) fn status(&self) -> DownloadStatus {
        let Progress { phase, total, downloaded, error } = self.progress.borrow().clone();
        DownloadStatus {
            phase,
            total_bytes: total,
            downloaded_bytes: downloaded,
            percentage: percentage(downloaded, total),
            active_clients: self.clients.load(Ordering::Relaxed),
            destination: self.destination.clone(),
            source_url: self.url.clone(),
            error,
        }
    }

    /// Returns true if the download has ended.
    pub(crate) fn is_over(&self) -> bool {
        is_over(self.progress.borrow().phase)
    }

    /// Changes the progress and wakes waiting clients.
    pub(crate) fn report(&self, change: impl FnOnce(&mut Progress)) {
        self.progress.send_if_modified(|progress| {
            let before = progress.clone();
            change(progress);
            *progress != before
        });
    }

    /// Records the outcome.
    pub(crate) fn end(&self, result: Result<u64, Problem>) {
        match &result {
            Ok(bytes) => tracing::info!(id = self.id, bytes, "completed"),
            Err(Problem::Cancelled) => tracing::info!(id = self.id, "cancelled"),
            Err(problem) => {
                tracing::warn!(id = self.id, url = shown(&self.url), problem = problem.told(), "failed");
            }
        }
        self.report(|progress| match result {
            Ok(bytes) => {
                progress.phase = DownloadPhase::Completed;
                progress.total = Some(bytes);
                progress.downloaded = bytes;
            }
            Err(Problem::Cancelled) => progress.phase = DownloadPhase::Cancelled,
            Err(problem) => {
                progress.phase = DownloadPhase::Failed;
                progress.error = Some(problem.told());
            }
        });
    }

    /// Cancels the download: aborts its requests and keeps its bytes for the next attempt.
    pub(crate) fn cancel(&self) {
        let agent = self.agent();
        self.is_cancelled.store(true, Ordering::Release);
        self.cancelled.notify_all();
        if let Some(agent) = agent.as_ref() {
            agent.clone().shutdown();
        }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Acquire)
    }

    /// Returns an error if the download is cancelled.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        if self.is_cancelled() { Err(Problem::Cancelled) } else { Ok(()) }
    }

    /// Lets [`cancel`](Self::cancel) interrupt the requests of `agent` from now on.
    pub(crate) fn uses(&self, agent: ureq::Agent) -> Result<(), Problem> {
        let mut current = self.agent();
        // Under the lock, so that a later `cancel` finds the agent.
        self.check()?;
        *current = Some(agent);
        Ok(())
    }

    /// Sleeps for `pause`; returns early with an error if the download is cancelled.
    pub(crate) fn pause(&self, pause: Duration) -> Result<(), Problem> {
        let until = Instant::now() + pause;
        let mut guard = self.agent();
        loop {
            self.check()?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            let waited = self.cancelled.wait_timeout(guard, left);
            guard = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn agent(&self) -> MutexGuard<'_, Option<ureq::Agent>> {
        self.agent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("id", &self.id).field("path", &self.path).finish_non_exhaustive()
    }
}
