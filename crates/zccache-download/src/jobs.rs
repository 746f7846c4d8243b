//! The downloads of a daemon: one for each destination while a client waits for it.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::watch;
use zccache_ipc::download::{Attached, Downloads, is_over};
use zccache_ipc::endpoint::{Platform, download_id};
use zccache_ipc::model::download::{DownloadAttach, DownloadStatus};

use crate::job::{Job, Progress};
use crate::source::shown;
use crate::{Problem, transfer};

/// Time for a new client to wait for the end of a cancelled download of the same file.
const CANCELLED: Duration = Duration::from_secs(20);

/// Time for the file system of a destination to answer.
const LOOK: Duration = Duration::from_secs(10);

/// Limits of the downloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Maximum number of running and queued downloads. Default: 256.
    ///
    /// A further download is refused.
    pub known: usize,
    /// Maximum number of running downloads; further ones are queued. Default: 8.
    pub running: usize,
    /// Timeout for a web server that sends nothing. Default: 30 s.
    pub stall: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { known: 256, running: 8, stall: Duration::from_secs(30) }
    }
}

/// The downloads of a daemon. Clones share them.
#[derive(Debug, Clone)]
pub struct Jobs {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    limits: Limits,
    state: Mutex<State>,
    /// Wakes queued downloads, and `close`, which waits for the end of all downloads.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    jobs: HashMap<String, Arc<Job>>,
    running: usize,
    is_closed: bool,
}

/// A client's attachment to a download; dropping the last one cancels the download.
#[derive(Debug)]
pub struct Part {
    inner: Arc<Inner>,
    job: Arc<Job>,
    progress: watch::Receiver<Progress>,
    is_initiator: bool,
}

/// Result of a request to join a download.
enum Joined {
    Part(Part),
    /// This cancelled download must end first.
    After(Arc<Job>),
    /// The caller must look whether the destination is there.
    Unknown,
}

/// Length of a destination that is a file.
#[derive(Debug, Clone, Copy)]
struct Found(Option<u64>);

/// Looks for a destination, outside of the runtime's threads and without the lock: its file system may not answer.
async fn look(path: PathBuf) -> Result<Found, Problem> {
    let looked = path.clone();
    let length = move || fs::metadata(looked).ok().filter(fs::Metadata::is_file).map(|file| file.len());
    match tokio::time::timeout(LOOK, tokio::task::spawn_blocking(length)).await {
        Ok(Ok(length)) => Ok(Found(length)),
        Ok(Err(_)) => Err(Problem::Destination { path, why: "it was not looked at" }),
        Err(_) => Err(Problem::Destination { path, why: "its file system does not answer" }),
    }
}

impl Jobs {
    /// Returns an empty set of downloads.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { inner: Arc::new(Inner { limits, state: Mutex::default(), changed: Condvar::new() }) }
    }

    /// Cancels all downloads, refuses new ones, and waits up to `limit` for their end.
    ///
    /// Returns false if a download did not end. The bytes on the disk stay for the next attempt.
    #[must_use]
    pub fn close(&self, limit: Duration) -> bool {
        let mut state = self.inner.state();
        state.is_closed = true;
        for job in state.jobs.values() {
            job.cancel();
        }
        self.inner.changed.notify_all();
        let waited = self.inner.changed.wait_timeout_while(state, limit, |state| !state.jobs.is_empty());
        waited.unwrap_or_else(PoisonError::into_inner).0.jobs.is_empty()
    }

    /// Starts or joins a download.
    ///
    /// # Errors
    ///
    /// [`Problem`]; no download was started.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: cancelling detaches the client.
    pub async fn join(&self, attach: DownloadAttach) -> Result<Part, Problem> {
        let mut file = None;
        loop {
            let before = match self.inner.join(&attach, file)? {
                Joined::Part(part) => return Ok(part),
                Joined::Unknown => {
                    file = Some(look(attach.destination.as_path().to_owned()).await?);
                    continue;
                }
                Joined::After(job) => job,
            };
            file = None;
            let mut progress = before.watch();
            let ended = progress.wait_for(|progress| is_over(progress.phase));
            if tokio::time::timeout(CANCELLED, ended).await.is_err() {
                let path = before.path.clone();
                return Err(Problem::Destination { path, why: "a cancelled download does not end" });
            }
        }
    }
}

impl Inner {
    /// Joins or starts a download; `file` is the length of the destination if it is there, once the caller looked.
    fn join(self: &Arc<Self>, attach: &DownloadAttach, file: Option<Found>) -> Result<Joined, Problem> {
        let path = attach.destination.as_path();
        let invalid = |why| Problem::Destination { path: path.to_owned(), why };
        let destination = attach.destination.to_wire().map_err(|_| invalid("it is not UTF-8"))?;
        if !path.is_absolute() {
            return Err(invalid("it is not an absolute path"));
        }
        let id = download_id(destination, Platform::CURRENT);
        let mut state = self.state();
        if state.is_closed {
            return Err(Problem::ShuttingDown);
        }
        if let Some(job) = state.jobs.get(&id).filter(|job| !job.is_over()) {
            if job.is_cancelled() {
                return Ok(Joined::After(Arc::clone(job)));
            }
            if job.url != attach.url {
                let destination = destination.to_owned();
                return Err(Problem::Conflict { destination, url: job.url.clone() });
            }
            return Ok(Joined::Part(self.part(Arc::clone(job), false)));
        }
        match file {
            _ if attach.options.force => {}
            None => return Ok(Joined::Unknown),
            Some(Found(Some(len))) => {
                let job = Job::complete(id, attach.clone(), len);
                return Ok(Joined::Part(self.part(Arc::new(job), true)));
            }
            Some(Found(None)) => {}
        }
        if state.jobs.len() >= self.limits.known {
            return Err(Problem::TooMany(state.jobs.len()));
        }
        let job = Arc::new(Job::new(id.clone(), attach.clone()));
        tracing::info!(id, destination, url = shown(&attach.url), "started");
        let (inner, work) = (Arc::clone(self), Arc::clone(&job));
        let thread = thread::Builder::new().name("download".to_owned()).spawn(move || inner.work(&work));
        thread.map_err(Problem::Thread)?;
        state.jobs.insert(id, Arc::clone(&job));
        Ok(Joined::Part(self.part(job, true)))
    }

    fn part(self: &Arc<Self>, job: Arc<Job>, is_initiator: bool) -> Part {
        job.clients.fetch_add(1, Ordering::Relaxed);
        Part { inner: Arc::clone(self), progress: job.watch(), job, is_initiator }
    }

    /// Runs a download once a slot is free.
    fn work(&self, job: &Arc<Job>) {
        let _ending = Ending { inner: self, job };
        let state = self.state();
        let waits = |state: &mut State| state.running >= self.limits.running && !job.is_cancelled();
        let waited = self.changed.wait_while(state, waits);
        waited.unwrap_or_else(PoisonError::into_inner).running += 1;
        let slot = Slot(self);
        let result = transfer::run(job, &self.limits);
        drop(slot);
        // An aborted request fails with various errors.
        let is_cancelled = job.is_cancelled() && result.is_err();
        job.end(if is_cancelled { Err(Problem::Cancelled) } else { result });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The slot of a running download; dropping it frees the slot.
struct Slot<'a>(&'a Inner);

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.state().running -= 1;
        self.0.changed.notify_all();
    }
}

/// Removes a download when its thread ends, also after a panic.
struct Ending<'a> {
    inner: &'a Inner,
    job: &'a Arc<Job>,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if !self.job.is_over() {
            self.job.end(Err(Problem::Nonsense("the daemon failed an assertion".to_owned())));
        }
        let mut state = self.inner.state();
        // A client may already have started the next download of this file.
        if state.jobs.get(&self.job.id).is_some_and(|job| Arc::ptr_eq(job, self.job)) {
            state.jobs.remove(&self.job.id);
        }
        self.inner.changed.notify_all();
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Under the lock, so that no client joins between the last detach and the cancel.
        let _state = self.inner.state();
        if self.job.clients.fetch_sub(1, Ordering::Relaxed) == 1 && !self.job.is_over() {
            self.job.cancel();
            self.inner.changed.notify_all();
        }
    }
}

impl Downloads for Jobs {
    type Attached = Part;

    async fn attach(&self, request: DownloadAttach) -> Result<Part, String> {
        self.join(request).await.map_err(|problem| problem.told())
    }

    fn active(&self) -> u64 {
        self.inner.state().jobs.len() as u64
    }

    fn clients(&self) -> u64 {
        let state = self.inner.state();
        state.jobs.values().map(|job| u64::from(job.clients.load(Ordering::Relaxed))).sum()
    }
}

impl Attached for Part {
    fn id(&self) -> &str {
        &self.job.id
    }

    fn is_initiator(&self) -> bool {
        self.is_initiator
    }

    fn status(&self) -> DownloadStatus {
        self.job.status()
    }

    async fn progress(&mut self) {
        if is_over(self.progress.borrow().phase) {
            return;
        }
        // The wait succeeds: this value holds the job, which holds the sender.
        let _ = self.progress.changed().await;
    }
}
