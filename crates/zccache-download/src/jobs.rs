//! The downloads of a daemon: one for each destination, for as long as somebody waits for it.

use std::collections::HashMap;
use std::fs;
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

/// How long the end of a download that was given up is waited for, by who wants it again.
const TO_END: Duration = Duration::from_secs(20);

/// The bounds of the downloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Downloads that are known at one time; one more is refused. Default 256.
    pub known: usize,
    /// Those of them that run; the others wait for their turn. Default 8.
    pub running: usize,
    /// How long a server may be silent. Default 30 s.
    pub stall: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { known: 256, running: 8, stall: Duration::from_secs(30) }
    }
}

/// The downloads of a daemon. Clones are the same ones.
#[derive(Debug, Clone)]
pub struct Jobs {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    limits: Limits,
    state: Mutex<State>,
    /// Wakes those who wait for their turn, and who waits for the end of all.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    jobs: HashMap<String, Arc<Job>>,
    running: usize,
    is_closed: bool,
}

/// A client's part in a download; dropping the last one gives the download up.
#[derive(Debug)]
pub struct Part {
    inner: Arc<Inner>,
    job: Arc<Job>,
    progress: watch::Receiver<Progress>,
    is_initiator: bool,
}

/// What there is to do about a request.
enum Joined {
    Part(Part),
    /// This one was given up and must end first.
    After(Arc<Job>),
}

impl Jobs {
    /// Makes room for downloads.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { inner: Arc::new(Inner { limits, state: Mutex::default(), changed: Condvar::new() }) }
    }

    /// Gives every download up, refuses new ones, and waits until all have ended, at most `limit`.
    ///
    /// What is on the disk stays, and the next attempt goes on from there. `false` when some did not end.
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
    /// [`Problem`]; nothing was started.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a part that nobody gets is dropped.
    pub async fn join(&self, attach: DownloadAttach) -> Result<Part, Problem> {
        loop {
            let before = match self.inner.join(&attach)? {
                Joined::Part(part) => return Ok(part),
                Joined::After(job) => job,
            };
            let mut progress = before.watch();
            let ended = progress.wait_for(|progress| is_over(progress.phase));
            if tokio::time::timeout(TO_END, ended).await.is_err() {
                let path = before.path.clone();
                return Err(Problem::Destination { path, why: "a download that was given up does not end" });
            }
        }
    }
}

impl Inner {
    fn join(self: &Arc<Self>, attach: &DownloadAttach) -> Result<Joined, Problem> {
        let path = attach.destination.as_path();
        let invalid = |why| Problem::Destination { path: path.to_owned(), why };
        let destination = attach.destination.to_wire().map_err(|_| invalid("it is not UTF-8"))?;
        if !path.is_absolute() {
            return Err(invalid("it is no absolute path"));
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
        if !attach.options.force
            && let Ok(metadata) = fs::metadata(path)
            && metadata.is_file()
        {
            let job = Job::complete(id, attach.clone(), metadata.len());
            return Ok(Joined::Part(self.part(Arc::new(job), true)));
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

    /// Does a download, when it is its turn.
    fn work(&self, job: &Arc<Job>) {
        let _ending = Ending { inner: self, job };
        let state = self.state();
        let waits = |state: &mut State| state.running >= self.limits.running && !job.is_cancelled();
        let waited = self.changed.wait_while(state, waits);
        waited.unwrap_or_else(PoisonError::into_inner).running += 1;
        let turn = Turn(self);
        let result = transfer::run(job, &self.limits);
        drop(turn);
        // An interrupted request fails in many ways.
        let is_cancelled = job.is_cancelled() && result.is_err();
        job.end(if is_cancelled { Err(Problem::Cancelled) } else { result });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to run, given back however it ends.
struct Turn<'a>(&'a Inner);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.state().running -= 1;
        self.0.changed.notify_all();
    }
}

/// Forgets a download that has ended, however it did.
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
        // Somebody may have started the next one already.
        if state.jobs.get(&self.job.id).is_some_and(|job| Arc::ptr_eq(job, self.job)) {
            state.jobs.remove(&self.job.id);
        }
        self.inner.changed.notify_all();
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Under the lock, so that nobody joins between the last one's leaving and the end.
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
        // The sender lives as long as the job, which is held here.
        let _ = self.progress.changed().await;
    }
}
