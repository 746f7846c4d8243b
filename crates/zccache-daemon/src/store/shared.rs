//! The store file as readers and the writer share it.

use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};

use zccache_ipc::model::{ArtifactData, Cleared, RustArtifactInfo, StoreResult};

use super::ages::Listed;
use super::database::{Read, StoreFile, unpanicked};
use super::entry::{self, Damage};
use super::job::Put;
use super::opening::{move_aside, remove_aside, remove_copy};
use super::used::Used;
use super::{Figures, OpenError, StoreError};

/// The file, how often it was opened, and its figures.
///
/// The lock is held exclusively only while one file replaces another, so that no lookup waits for the writer.
#[derive(Debug)]
pub(super) struct Shared {
    /// The possible places of the file, best first.
    paths: Vec<PathBuf>,
    /// Index of the place in use.
    place: AtomicUsize,
    /// Empty while the file is being opened or cannot be opened.
    file: RwLock<Option<StoreFile>>,
    /// True while the file is being opened.
    is_opening: AtomicBool,
    /// True once the store has to end soon.
    is_ending: AtomicBool,
    generation: AtomicU64,
    artifacts: AtomicU64,
    bytes: AtomicU64,
    /// Length of the file above which the writer gives unused space back.
    longest: AtomicU64,
    /// The entries that lookups used since the writer's last check.
    pub(super) used: Used,
    /// The most room that entries may take.
    most: u64,
    /// Bytes of pages that are kept in memory.
    pub(super) cache: usize,
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
    /// Returns a store that opens the first of `paths` that no other process has open.
    pub(super) fn new(paths: Vec<PathBuf>, most: u64, cache: usize) -> Self {
        Self {
            paths,
            place: AtomicUsize::new(0),
            file: RwLock::new(None),
            is_opening: AtomicBool::new(true),
            is_ending: AtomicBool::new(false),
            generation: AtomicU64::new(0),
            artifacts: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            longest: AtomicU64::new(longest(most)),
            used: Used::default(),
            most,
            cache,
        }
    }

    /// Opens the file for the first time.
    pub(super) fn open(&self) -> Result<(), OpenError> {
        for place in 0..self.paths.len() {
            self.place.store(place, Ordering::Relaxed);
            let path = self.path();
            match self.reopen(false) {
                Err(OpenError::Locked(_)) if place + 1 < self.paths.len() => {
                    tracing::warn!(path = %path.display(), "another daemon has the store open; this one has its own");
                }
                // A daemon without a store still answers, and can be told to clear it.
                Err(error) if error.is_full() => {
                    tracing::error!(path = %path.display(), "there is no room for the store, and nothing is stored");
                    break;
                }
                opened => return opened,
            }
        }
        Ok(())
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
        let read = self.in_file(&slot, |file| file.read(key, most));
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
            Err(StoreError::Opening) => Look::Absent,
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
        self.shared().as_ref().is_some_and(|file| matches!(file.is_at(self.path()), Ok(false)))
    }

    /// Makes room where the store may have less than before, and gives it back to the file system.
    ///
    /// A store that ends meanwhile makes the rest of the room when it is opened again.
    pub(super) fn trim(&self) -> Result<(), StoreError> {
        let mut removed = 0;
        // A commit needs room, which a store within its limit can do without.
        while !self.ends() && self.with_file(|file| file.is_above(self.most))? {
            // Also where nothing is to be removed: it counts the room if no earlier daemon has.
            match self.change(|file| file.evict(self.most))? {
                0 => break,
                more => removed += more,
            }
            self.count();
        }
        if removed > 0 {
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
        &self.paths[self.place.load(Ordering::Relaxed)]
    }

    pub(super) fn clear(&self) -> Result<Cleared, StoreError> {
        let before = self.len_on_disk();
        let removed = self.change(StoreFile::remove_all)?;
        self.count();
        self.give_back_all()?;
        let freed = before.saturating_sub(self.len_on_disk()) + remove_aside(self.path());
        Ok(Cleared { artifacts_removed: removed, on_disk_bytes_freed: freed, ..Cleared::default() })
    }

    /// Gives unused space back to the file system if the file has become much longer than its limit.
    pub(super) fn follow_limit(&self) {
        if self.len_on_disk() > self.longest.load(Ordering::Relaxed) && self.is_writable() {
            self.give_back();
            // Entries that take more pages than expected are not copied again and again.
            self.longest.store(longest(self.most).max(2 * self.len_on_disk()), Ordering::Relaxed);
        }
    }

    /// Removes the file and begins a new one.
    pub(super) fn begin_anew(&self) -> Result<Cleared, StoreError> {
        let (before, removed) = (self.len_on_disk(), self.figures().artifacts);
        self.close();
        match std::fs::remove_file(self.path()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                let error = OpenError::Io { path: self.path().to_owned(), source: error };
                // The old file serves on. If it cannot be opened, the next request tries again.
                let _ = self.reopen(false);
                return Err(StoreError::Reopen(Arc::new(error)));
            }
            _ => {}
        }
        self.reopen(false).map_err(|error| StoreError::Reopen(Arc::new(error)))?;
        let freed = before.saturating_sub(self.len_on_disk());
        Ok(Cleared { artifacts_removed: removed, on_disk_bytes_freed: freed, ..Cleared::default() })
    }

    /// Opens the file again, after moving it aside if it is `damaged`.
    ///
    /// Lookups find nothing meanwhile: a repair may take long.
    pub(super) fn reopen(&self, damaged: bool) -> Result<(), OpenError> {
        self.is_opening.store(true, Ordering::Relaxed);
        let opened = self.open_again(damaged);
        let done = opened.map(|file| {
            *self.alone() = Some(file);
            self.note_replaced();
        });
        self.is_opening.store(false, Ordering::Relaxed);
        self.count();
        done
    }

    fn open_again(&self, damaged: bool) -> Result<StoreFile, OpenError> {
        let path = self.path();
        self.close();
        if damaged && path.exists() {
            let aside = move_aside(path)?;
            tracing::warn!(aside = %aside.display(), "the damaged store is kept aside and a new one is begun");
        }
        let file = StoreFile::open(path, self.cache)?;
        // The copy of a daemon that was killed as it made it.
        remove_copy(path);
        Ok(file)
    }

    /// Closes the file and frees its lock.
    pub(super) fn close(&self) {
        let old = self.alone().take();
        drop(old); // after the lock is free: it writes
    }

    /// Ends work that can go on at the next start.
    pub(super) fn end_soon(&self) {
        self.is_ending.store(true, Ordering::Relaxed);
    }

    pub(super) fn ends(&self) -> bool {
        self.is_ending.load(Ordering::Relaxed)
    }

    /// Returns true until the file was opened, or could not be opened, for the first time.
    pub(super) fn has_not_begun(&self) -> bool {
        self.generation() == 0 && self.is_opening.load(Ordering::Relaxed)
    }

    /// Returns true if entries can be read.
    pub(super) fn is_open(&self) -> bool {
        self.shared().is_some()
    }

    /// Returns true if entries can be read and written.
    pub(super) fn is_writable(&self) -> bool {
        self.shared().as_ref().is_some_and(|file| file.unwritable.is_none())
    }

    /// Notes that another file is in use.
    pub(super) fn note_replaced(&self) {
        self.generation.fetch_add(1, Ordering::Relaxed);
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
        self.path().metadata().map_or(0, |metadata| metadata.len())
    }

    pub(super) fn with_file<T>(
        &self,
        work: impl FnOnce(&StoreFile) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        self.in_file(&self.shared(), work)
    }

    fn in_file<T>(
        &self,
        slot: &Option<StoreFile>,
        work: impl FnOnce(&StoreFile) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        let Some(file) = slot else {
            let is_opening = self.is_opening.load(Ordering::Relaxed);
            return Err(if is_opening { StoreError::Opening } else { StoreError::Closed });
        };
        match unpanicked(|| work(file)) {
            Ok(done) => done.map_err(|error| StoreError::Database(Arc::new(error))),
            Err(_) => Err(StoreError::Panicked),
        }
    }

    // A panic of the database is caught inside of the lock, so that poison says nothing new.
    fn shared(&self) -> RwLockReadGuard<'_, Option<StoreFile>> {
        self.file.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn alone(&self) -> RwLockWriteGuard<'_, Option<StoreFile>> {
        self.file.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the length above which a file with entries of up to `most` bytes is copied.
const fn longest(most: u64) -> u64 {
    most.saturating_mul(2).saturating_add(SLACK)
}

/// Bytes that a commit may add to the file before the pages of earlier commits are free.
const SLACK: u64 = 64 << 20;

#[cfg(test)]
impl Shared {
    pub(super) fn forget_room(&self) {
        self.shared().as_ref().unwrap().forget_room();
    }

    pub(super) fn scribble(&self, key: &str) {
        self.shared().as_ref().unwrap().scribble(key);
    }
}
