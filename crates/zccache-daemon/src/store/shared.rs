//! The store file as readers and the writer share it.

use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};

use zccache_ipc::model::{ArtifactData, Cleared, RustArtifactInfo, StoreResult};

use super::ages::Listed;
use super::database::{Read, StoreFile, unpanicked};
use super::entry::{self, Damage};
use super::job::Put;
use super::opening::{move_aside, remove_aside};
use super::used::Used;
use super::{Figures, OpenError, StoreError};

/// The file, how often it was opened, and its figures.
///
/// Every transaction begins and ends under the lock, so that who holds it exclusively is alone with the
/// file.
#[derive(Debug)]
pub(super) struct Shared {
    path: PathBuf,
    /// Empty while it cannot be opened.
    file: RwLock<Option<StoreFile>>,
    generation: AtomicU64,
    artifacts: AtomicU64,
    bytes: AtomicU64,
    /// True if the file can be shrunk.
    owes_room: AtomicBool,
    /// The entries that lookups used since the writer's last check.
    pub(super) used: Used,
    /// The most room that entries may take.
    most: u64,
    /// Bytes of pages that are kept in memory.
    cache: usize,
}

/// The length of an entry that has more bytes than were asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct TooLong(pub(super) usize);

/// The result of a lookup.
#[derive(Debug)]
pub(super) enum Look {
    Found(ArtifactData),
    Absent,
    /// The entry is there and cannot be believed.
    Damaged(Damage),
    /// The file cannot be read.
    Broken {
        error: StoreError,
        generation: u64,
    },
}

impl Shared {
    pub(super) fn open(path: &Path, most: u64, cache: usize) -> Result<Self, OpenError> {
        let shared = Self {
            path: path.to_owned(),
            file: RwLock::new(None),
            generation: AtomicU64::new(0),
            artifacts: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            owes_room: AtomicBool::new(false),
            used: Used::default(),
            most,
            cache,
        };
        match shared.reopen(false) {
            // A daemon without a store still answers, and can be told to clear it.
            Err(error) if error.is_full() => {
                tracing::error!(path = %path.display(), "there is no room for the store, and nothing is stored");
                Ok(shared)
            }
            opened => opened.map(|()| shared),
        }
    }

    /// Looks for `key`, waiting for the file if need be, unless the entry has more than `most` bytes.
    pub(super) fn look(&self, key: &str, most: usize) -> Result<Look, TooLong> {
        let generation = self.generation();
        let read = self.with_file(|file| file.read(key, most));
        Self::seen(key, read, generation)
    }

    /// Looks for `key` without waiting for the file; `None` when it is busy.
    pub(super) fn look_quickly(&self, key: &str, most: usize) -> Option<Result<Look, TooLong>> {
        let generation = self.generation();
        let slot = match self.file.try_read() {
            Ok(slot) => slot,
            Err(TryLockError::Poisoned(slot)) => slot.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        let read = in_file(&slot, |file| file.read(key, most));
        drop(slot);
        Some(Self::seen(key, read, generation))
    }

    fn seen(key: &str, read: Result<Option<Read>, StoreError>, generation: u64) -> Result<Look, TooLong> {
        Ok(match read {
            Ok(None) => Look::Absent,
            Ok(Some(Read::Longer(len))) => return Err(TooLong(len)),
            Ok(Some(Read::Value(value))) => match entry::unseal(key, &value) {
                Ok(artifact) => Look::Found(artifact),
                Err(damage) => Look::Damaged(damage),
            },
            Err(error) => Look::Broken { error, generation },
        })
    }

    pub(super) fn rust_artifacts(&self) -> Result<Vec<RustArtifactInfo>, StoreError> {
        self.with_file(StoreFile::rust_artifacts)?.ok_or(StoreError::ListTooLong)
    }

    /// Stores `batch`, which may be empty, records the used entries, and evicts down to the limit.
    pub(super) fn put(&self, batch: &[Put], used: &[String]) -> Result<Vec<StoreResult>, StoreError> {
        let results = self.change(|file| file.put(batch, used, self.most))?;
        self.count();
        Ok(results)
    }

    /// Does `work`, and says that it is done only if the next daemon will find it done.
    fn change<T>(&self, work: impl FnOnce(&StoreFile) -> Result<T, redb::Error>) -> Result<T, StoreError> {
        if let Some(why) = self.shared().as_ref().and_then(|file| file.unwritable.clone()) {
            return Err(StoreError::Reopen(why));
        }
        let done = self.with_file(work)?;
        if self.is_gone() { Err(StoreError::Gone) } else { Ok(done) }
    }

    /// Returns true if the file is open and its path leads to another file, or to none.
    pub(super) fn is_gone(&self) -> bool {
        // A path that cannot be looked at is taken for unchanged.
        self.shared().as_ref().is_some_and(|file| matches!(file.is_at(&self.path), Ok(false)))
    }

    /// Makes room where the store may have less than before, and gives it back to the file system.
    pub(super) fn trim(&self) -> Result<(), StoreError> {
        // A commit needs room, which a store within its limit can do without.
        if !self.with_file(|file| file.is_above(self.most))? {
            return Ok(());
        }
        let before = self.figures().artifacts;
        self.put(&[], &[])?;
        if self.figures().artifacts < before {
            self.give_back();
        }
        Ok(())
    }

    pub(super) fn recheck(&self, key: &str) -> Result<(), StoreError> {
        self.change(|file| file.recheck(key))?;
        self.count();
        Ok(())
    }

    pub(super) fn remove(&self, key: &str) -> Result<bool, StoreError> {
        let was_there = self.change(|file| file.remove(key))?;
        self.count();
        Ok(was_there)
    }

    pub(super) fn list(&self, from: Bound<&str>, most: usize) -> Result<Vec<Listed>, StoreError> {
        self.with_file(|file| file.list(from, most))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn clear(&self) -> Result<Cleared, StoreError> {
        let before = self.len_on_disk();
        let removed = self.change(StoreFile::remove_all)?;
        self.count();
        self.give_back();
        let freed = before.saturating_sub(self.len_on_disk()) + remove_aside(&self.path);
        Ok(Cleared { artifacts_removed: removed, on_disk_bytes_freed: freed, ..Cleared::default() })
    }

    /// Gives unused space back to the file system; later, if a value is being sent from the file's pages.
    fn give_back(&self) {
        let mut slot = self.alone();
        let Some(file) = slot.as_mut() else { return };
        let shrunk = unpanicked(|| file.shrink()).and_then(|shrunk| shrunk);
        drop(slot);
        let is_read = matches!(shrunk, Err(redb::Error::TransactionInProgress));
        self.owes_room.store(is_read, Ordering::Relaxed);
        match shrunk {
            Err(error) if !is_read => {
                tracing::warn!(path = %self.path.display(), %error, "the store keeps its size");
            }
            _ => {}
        }
    }

    /// Gives back what could not be given back when it became free.
    pub(super) fn give_back_owed(&self) {
        if self.owes_room.load(Ordering::Relaxed) {
            self.give_back();
        }
    }

    /// Removes the file and begins a new one.
    pub(super) fn begin_anew(&self) -> Result<Cleared, StoreError> {
        let (before, removed) = (self.len_on_disk(), self.figures().artifacts);
        let mut slot = self.alone();
        *slot = None;
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                let error = OpenError::Io { path: self.path.clone(), source: error };
                return Err(StoreError::Reopen(Arc::new(error)));
            }
            _ => drop(slot),
        }
        self.reopen(false).map_err(|error| StoreError::Reopen(Arc::new(error)))?;
        let freed = before.saturating_sub(self.len_on_disk());
        Ok(Cleared { artifacts_removed: removed, on_disk_bytes_freed: freed, ..Cleared::default() })
    }

    /// Opens the file again, after moving it aside if it is `damaged`.
    pub(super) fn reopen(&self, damaged: bool) -> Result<(), OpenError> {
        let mut slot = self.alone();
        *slot = None; // closes it and frees its lock
        if damaged && self.path.exists() {
            let aside = move_aside(&self.path)?;
            tracing::warn!(aside = %aside.display(), "the damaged store is kept aside and a new one is begun");
        }
        *slot = Some(StoreFile::open(&self.path, self.cache)?);
        drop(slot);
        self.generation.fetch_add(1, Ordering::Relaxed);
        self.count();
        Ok(())
    }

    pub(super) fn close(&self) {
        *self.alone() = None;
    }

    /// Returns true if entries can be read.
    pub(super) fn is_open(&self) -> bool {
        self.shared().is_some()
    }

    /// Returns true if entries can be read and written.
    pub(super) fn is_writable(&self) -> bool {
        self.shared().as_ref().is_some_and(|file| file.unwritable.is_none())
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }

    pub(super) fn figures(&self) -> Figures {
        Figures {
            artifacts: self.artifacts.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }

    /// Takes over the figures of the file; only the writer changes them.
    fn count(&self) {
        let Ok(figures) = self.with_file(StoreFile::figures) else { return };
        self.artifacts.store(figures.artifacts, Ordering::Relaxed);
        self.bytes.store(figures.bytes, Ordering::Relaxed);
    }

    pub(super) fn len_on_disk(&self) -> u64 {
        self.path.metadata().map_or(0, |metadata| metadata.len())
    }

    fn with_file<T>(&self, work: impl FnOnce(&StoreFile) -> Result<T, redb::Error>) -> Result<T, StoreError> {
        in_file(&self.shared(), work)
    }

    // A panic of the database is caught inside of the lock, so that poison says nothing new.
    fn shared(&self) -> RwLockReadGuard<'_, Option<StoreFile>> {
        self.file.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn alone(&self) -> RwLockWriteGuard<'_, Option<StoreFile>> {
        self.file.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn in_file<T>(
    slot: &Option<StoreFile>,
    work: impl FnOnce(&StoreFile) -> Result<T, redb::Error>,
) -> Result<T, StoreError> {
    let file = slot.as_ref().ok_or(StoreError::Closed)?;
    match unpanicked(|| work(file)) {
        Ok(done) => done.map_err(|error| StoreError::Database(Arc::new(error))),
        Err(_) => Err(StoreError::Panicked),
    }
}

#[cfg(test)]
impl Shared {
    pub(super) fn scribble(&self, key: &str) {
        self.shared().as_ref().unwrap().scribble(key);
    }
}
