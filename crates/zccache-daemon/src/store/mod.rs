//! The embedded artifact store: one file, one writer, checked on every read.
//!
//! An entry is written with its checksum and is on disk before the store is answered. What is read
//! is returned only when the checksum of key and contents holds; anything else is a miss, and goes.
//! Stores that wait together are committed together.
//!
//! What it holds is bounded: a store that takes it above its limit removes, in the same commit, what has not
//! been used for longest.
//!
//! An output that is given as a path is kept as that path; the file belongs to the client.

mod ages;
mod beginning;
mod copying;
mod database;
mod entry;
mod error;
mod job;
mod looking;
mod opening;
mod recency;
mod replacing;
mod rust;
mod shared;
mod tables;
mod unwritten;
mod used;
mod writer;

use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{Mutex, Semaphore, mpsc, oneshot};
use zccache_ipc::model::{ArtifactData, Cleared, RustArtifactInfo, StoreResult};

pub use ages::Listed;
pub use beginning::Opened;
pub(crate) use error::is_full;
pub use error::{OpenError, StoreError};
use job::{Job, Put};
use shared::Shared;

/// The longest key, in bytes.
pub const MAX_KEY_LEN: usize = 1024;

/// Room that entries may take where nothing else is said: 10 GiB.
pub const DEFAULT_SIZE: u64 = 10 << 30;

/// Artifacts above this many bytes are encoded and decoded off the runtime's threads.
const LARGE: usize = 128 * 1024;

/// Limits on the entries of a store and on its queue.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Room that entries may take in the file, in bytes.
    pub size: u64,
    /// Jobs that wait for the writer.
    pub waiting: usize,
    /// Bytes of artifacts that wait for the writer, or are being written.
    pub waiting_bytes: usize,
    /// Lookups at work at once.
    pub readers: usize,
    /// Bytes of the file that are kept in memory.
    pub cache: usize,
}

impl Limits {
    /// Returns the limits of a store that takes at most half of `memory` bytes.
    ///
    /// An artifact above the limit of waiting bytes is taken while no other one waits.
    #[must_use]
    pub fn within(memory: u64) -> Self {
        let part = |of: u64| usize::try_from(of).unwrap_or(usize::MAX).clamp(1 << 20, LARGEST_PART);
        // Each reader can hold an artifact as large as a frame, and another one can wait to be sent.
        let readers = usize::try_from(memory.saturating_sub(1 << 24) >> 24)
            .unwrap_or(usize::MAX)
            .clamp(1, Self::default().readers);
        Self { waiting_bytes: part(memory / 4), cache: part(memory / 5), readers, ..Self::default() }
    }
}

/// The most bytes that wait for the writer, and that are kept of the file.
const LARGEST_PART: usize = 64 << 20;

impl Default for Limits {
    fn default() -> Self {
        Self {
            size: DEFAULT_SIZE,
            waiting: 256,
            waiting_bytes: LARGEST_PART,
            readers: 16,
            cache: LARGEST_PART,
        }
    }
}

/// The figures of a store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Artifacts.
    pub artifacts: u64,
    /// Bytes of keys, checksums and encoded contents.
    ///
    /// The file is larger, by whole pages.
    pub bytes: u64,
}

/// Artifacts by key, in one file that no other process has open.
#[derive(Debug)]
pub struct Store {
    shared: Arc<Shared>,
    queue: mpsc::Sender<Job>,
    room: Arc<Semaphore>,
    readers: Arc<Semaphore>,
    limits: Limits,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// Most time that a caller waits whose answer does not depend on the entry.
const TO_OFFER: Duration = Duration::from_millis(500);

impl Store {
    /// Opens the store in the file at `path`, or creates it. Blocks.
    ///
    /// A file that is damaged, or is something else, is moved aside to `<path>.corrupt-1`, with a warning in
    /// the log, and a new one is begun. A file that cannot be written, such as on a full disk, is read, and
    /// stores are refused until it can be written or is cleared.
    ///
    /// # Errors
    ///
    /// [`OpenError::Locked`] when another process has it open, and [`OpenError::Io`] with the path.
    pub fn open(path: &Path, limits: Limits) -> Result<Self, OpenError> {
        let shared = Arc::new(Shared::new(vec![path.to_owned()], limits.size, limits.cache));
        shared.open()?;
        Self::with_writer(shared, limits, |_| true)
    }

    /// Stores `artifact` under `key`, unless a sound entry exists.
    ///
    /// The entry is on disk when this returns.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; nothing is stored then, except after [`StoreError::Closed`], where it may be.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future does not take back a store that is in the queue.
    pub async fn store(&self, key: &str, artifact: ArtifactData) -> Result<StoreResult, StoreError> {
        self.put(key, artifact, false).await
    }

    /// Stores `artifact` under `key` and replaces an entry that exists.
    ///
    /// Otherwise as [`store`](Self::store).
    ///
    /// # Errors
    ///
    /// As [`store`](Self::store).
    ///
    /// # Cancel safety
    ///
    /// See [`store`](Self::store).
    pub async fn replace(&self, key: &str, artifact: ArtifactData) -> Result<(), StoreError> {
        self.put(key, artifact, true).await.map(drop)
    }

    /// Stores or replaces an entry that its caller does not need on disk at once.
    ///
    /// This waits at most half a second: the file may be copied just now, which can take minutes. The entry then
    /// stays in the queue, and is stored before anything that is offered after it.
    ///
    /// # Errors
    ///
    /// As [`store`](Self::store), as far as they are known in this time.
    ///
    /// # Cancel safety
    ///
    /// See [`store`](Self::store).
    pub async fn offer(&self, key: &str, artifact: ArtifactData) -> Result<(), StoreError> {
        let answer = self.enqueue(key, artifact, true).await?;
        match tokio::time::timeout(TO_OFFER, answer).await {
            Ok(stored) => stored.map_err(|_| StoreError::Closed)?.map(drop),
            Err(_) => Ok(()),
        }
    }

    async fn put(
        &self,
        key: &str,
        artifact: ArtifactData,
        replaces: bool,
    ) -> Result<StoreResult, StoreError> {
        let answer = self.enqueue(key, artifact, replaces).await?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Gives the entry to the writer, whose answer the receiver gets.
    async fn enqueue(
        &self,
        key: &str,
        artifact: ArtifactData,
        replaces: bool,
    ) -> Result<oneshot::Receiver<Result<StoreResult, StoreError>>, StoreError> {
        checked(key)?;
        if self.shared.has_not_begun() {
            return Err(StoreError::Opening);
        }
        let names = artifact.outputs.iter().map(|output| output.name.len()).sum::<usize>();
        let size = artifact.payload_len() + names;
        // Before the work of encoding, so that an overloaded daemon does less of it, not more.
        let permits = u32::try_from(size.min(self.limits.waiting_bytes)).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.room).try_acquire_many_owned(permits).map_err(|_| self.busy())?;
        let slot = self.queue.clone().try_reserve_owned().map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => self.busy(),
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })?;
        let owned = key.to_owned();
        let seal = move || {
            let rust = rust::info(&owned, &artifact).map(entry::seal_info);
            Ok((entry::seal(&owned, artifact)?, rust.transpose()?, owned))
        };
        let (value, rust, key) = if size > LARGE {
            tokio::task::spawn_blocking(seal).await.map_err(|_| StoreError::Closed)?
        } else {
            seal()
        }
        .map_err(StoreError::Encode)?;
        let room = tables::room(&key, value.len());
        if room > self.limits.size {
            return Err(StoreError::TooLarge { len: room, most: self.limits.size });
        }
        let (reply, answer) = oneshot::channel();
        slot.send(Job::Put(Box::new(Put { key, value, rust, replaces, reply, _room: permit })));
        Ok(answer)
    }

    /// Removes everything and gives the space back to the file system.
    ///
    /// Stores that were asked for before it are removed by it and counted; later ones stay.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future does not take back a clear that is in the queue.
    pub async fn clear(&self) -> Result<Cleared, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.queue.send(Job::Clear { reply }).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Lists the artifacts that rustc made, by key.
    ///
    /// These are the ones with a `.rlib` or `.rmeta`, and those that cargo has named: an output whose
    /// stem ends in `-` and cargo's 16 hexadecimal digits.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    ///
    /// # Cancel safety
    ///
    /// Listing changes nothing.
    pub async fn rust_artifacts(&self) -> Result<Vec<RustArtifactInfo>, StoreError> {
        self.reading(Shared::rust_artifacts).await?
    }

    /// Returns at most `most` entries in the order of their keys, from `from` on.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    ///
    /// # Cancel safety
    ///
    /// Listing changes nothing.
    pub async fn list(&self, from: Bound<String>, most: usize) -> Result<Vec<Listed>, StoreError> {
        self.reading(move |shared| shared.list(from.as_ref().map(String::as_str), most)).await?
    }

    /// Does `work` outside of the runtime's threads, among a bounded number of readers.
    async fn reading<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let readers = Arc::clone(&self.readers);
        let reader = readers.acquire_owned().await.expect("this semaphore is never closed");
        let shared = Arc::clone(&self.shared);
        let work = move || {
            // For as long as the thread works, even if its caller has left.
            let _reader = reader;
            work(&shared)
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| StoreError::Closed)
    }

    /// Removes the entry under `key`; returns true if it was there.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future does not take back a removal that is in the queue.
    pub async fn remove(&self, key: &str) -> Result<bool, StoreError> {
        checked(key)?;
        let (reply, answer) = oneshot::channel();
        let job = Job::Remove { key: key.to_owned(), reply };
        self.queue.send(job).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Returns the path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.shared.path()
    }

    /// Returns the length of the file.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        self.shared.len_on_disk()
    }

    /// Starts a new file if the file was removed or replaced.
    ///
    /// That happens when the cache directory is removed.
    pub fn look_after(&self) {
        if self.shared.is_gone() {
            let (generation, error) = (self.shared.generation(), StoreError::Gone);
            // When the queue is full, the next store finds it out.
            let _ = self.queue.try_send(Job::Repair { generation, error });
        }
    }

    /// Returns the figures of the store.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.shared.figures()
    }

    /// Finishes the queue and closes the file. Later calls are refused.
    ///
    /// The store stops to make room and to give room back; a later start goes on if the file is too long.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the queue to be finished by itself.
    pub async fn close(&self) {
        self.shared.end_soon();
        let _ = self.queue.send(Job::Stop).await;
        if let Some(writer) = self.writer.lock().await.take() {
            let _ = tokio::task::spawn_blocking(move || writer.join()).await;
        }
    }

    fn busy(&self) -> StoreError {
        StoreError::Busy { waiting: self.limits.waiting - self.queue.capacity().min(self.limits.waiting) }
    }
}

fn checked(key: &str) -> Result<(), StoreError> {
    if key.len() > MAX_KEY_LEN { Err(StoreError::KeyTooLong { len: key.len() }) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
