//! Fingerprints: has a tree changed since the last run that succeeded?
//!
//! A check looks at every file that counts and compares contents with those of the last success, so that it
//! sees what was changed and changed back, and needs no watcher. The decision is always to run when there
//! is any doubt: a file that cannot be read, too many of them, a state that was lost.
//!
//! State is kept by cache file and root in memory, and in the cache file itself when a run has ended: it
//! outlives the daemon, goes when the file is removed, and comes with it to another machine.

mod error;
mod filter;
mod snapshot;
mod state_file;
mod tree;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use zccache_ipc::model::FingerprintCheck;

use crate::chain::chain;
pub use error::ScanError;
use filter::Filter;
use snapshot::{Look, MOST_FILES, Snapshot};
use state_file::{Stamp, StateError};
pub use tree::Decision;
use tree::Tree;

/// Roots of one cache file; the check of another one begins anew.
const MOST_ROOTS: usize = 16;

/// The longest path of a cache file or a root, in bytes: the limit of system calls.
const LONGEST_PATH: usize = 4096;

/// Limits on the memory for the trees of all clients.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Cache files that are in memory.
    pub cache_files: usize,
    /// Files in memory, over all cache files.
    pub files: usize,
    /// Files of one tree; more are an error of the scan.
    pub files_of_a_tree: usize,
    /// Bytes of the paths of cache files and roots in memory.
    pub bytes_of_paths: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cache_files: 1024,
            files: 5 * MOST_FILES,
            files_of_a_tree: MOST_FILES,
            bytes_of_paths: 4 << 20,
        }
    }
}

/// The way in which files are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// By contents.
    Hash,
    /// By length and time, and by contents where these differ or may deceive.
    TwoLayer,
}

/// Every fingerprint in memory.
#[derive(Debug, Default)]
pub struct Fingerprints {
    limits: Limits,
    kept: Mutex<HashMap<PathBuf, Arc<Slot>>>,
}

#[derive(Debug)]
struct Slot {
    state: Mutex<CacheFile>,
    used: Mutex<Instant>,
}

/// The trees of one cache file.
#[derive(Debug)]
struct CacheFile {
    path: PathBuf,
    trees: BTreeMap<String, Tree>,
    /// The file, if the trees were read from it or written to it.
    stamp: Option<Stamp>,
    is_new: bool,
    /// The root of the last check: a success counts for it alone.
    checked: Option<String>,
}

impl Fingerprints {
    /// Makes a place for fingerprints.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Looks at the tree and decides. Blocks, until `given_up` is set.
    ///
    /// # Errors
    ///
    /// [`ScanError`], where a client should run: nothing is known of its tree.
    pub fn check(&self, check: &FingerprintCheck, given_up: &AtomicBool) -> Result<Decision, ScanError> {
        let filter = Filter::new(check)?;
        for path in [&check.cache_file, &check.root] {
            let len = path.as_path().as_os_str().len();
            if len > LONGEST_PATH {
                return Err(ScanError::PathTooLong { len, most: LONGEST_PATH });
            }
        }
        let decision = self.with(check.cache_file.as_path(), |file| {
            let root = check.root.to_string();
            let look = Look {
                root: check.root.as_path(),
                filter: &filter,
                comparison: Comparison::of(&check.cache_type),
                own_file: check.cache_file.as_path(),
                given_up,
                most: self.limits.files_of_a_tree,
            };
            let tree = file.trees.get(&root);
            let known: Vec<_> =
                tree.iter().flat_map(|tree| tree.latest.iter().chain(&tree.reference)).collect();
            let now = Snapshot::take(&look, &known)?;
            file.checked = Some(root.clone());
            Ok(file.tree(root).check(now))
        });
        self.make_room();
        decision
    }

    /// Records that the run for the last check succeeded, for its root alone. Blocks.
    pub fn mark_success(&self, cache_file: &Path) {
        self.with_known(cache_file, |file| {
            let checked = file.checked.as_ref().and_then(|root| file.trees.get_mut(root));
            if checked.is_some_and(Tree::succeeded) {
                file.keep();
            }
        });
    }

    /// Notes that the run failed. Blocks.
    pub fn mark_failure(&self, cache_file: &Path) {
        self.with_known(cache_file, |file| {
            if !file.trees.is_empty() {
                file.trees.values_mut().for_each(Tree::failed);
                file.keep();
            }
        });
    }

    /// Forgets everything, and removes the cache file. Blocks.
    pub fn invalidate(&self, cache_file: &Path) {
        self.with_known(cache_file, |file| {
            file.trees.clear();
            match file.path.is_absolute().then(|| state_file::remove(&file.path)) {
                None | Some(Ok(())) => {}
                Some(Err(error)) => file.warn(&error),
            }
            file.stamp = None;
        });
    }

    /// Calls `then` unless the file is neither in memory nor on the disk: then there is nothing to change.
    fn with_known(&self, path: &Path, then: impl FnOnce(&mut CacheFile)) {
        if lock(&self.kept).contains_key(path) || path.is_absolute() && path.symlink_metadata().is_ok() {
            self.with(path, then);
            self.make_room();
        }
    }

    fn with<T>(&self, path: &Path, then: impl FnOnce(&mut CacheFile) -> T) -> T {
        let slot = Arc::clone(lock(&self.kept).entry(path.to_owned()).or_insert_with(|| {
            let trees = BTreeMap::new();
            let state = CacheFile { path: path.to_owned(), trees, stamp: None, is_new: true, checked: None };
            Arc::new(Slot { state: Mutex::new(state), used: Mutex::new(Instant::now()) })
        }));
        *lock(&slot.used) = Instant::now();
        let mut file = lock(&slot.state);
        file.refresh();
        then(&mut file)
    }

    /// Drops the trees that were unused for longest; a later check reads them from their files again.
    fn make_room(&self) {
        let mut kept = lock(&self.kept);
        let mut all: Vec<_> = kept
            .iter()
            .filter_map(|(path, slot)| Some((*lock(&slot.used), slot.weight()?, path.clone())))
            .collect();
        all.sort();
        let mut files: usize = all.iter().map(|(_, weight, _)| weight.files).sum();
        let mut bytes: usize = all.iter().map(|(_, weight, _)| weight.bytes_of_paths).sum();
        // The newest stays, however large it is.
        all.pop();
        for (_, weight, path) in all {
            if kept.len() <= self.limits.cache_files
                && files <= self.limits.files
                && bytes <= self.limits.bytes_of_paths
            {
                break;
            }
            files -= weight.files;
            bytes -= weight.bytes_of_paths;
            kept.remove(&path);
        }
    }
}

/// The part of [`Limits`] that one cache file uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Weight {
    files: usize,
    bytes_of_paths: usize,
}

impl Slot {
    /// Returns the weight; `None` while a request uses the cache file.
    fn weight(&self) -> Option<Weight> {
        let file = self.state.try_lock().ok()?;
        Some(Weight {
            files: file.trees.values().map(Tree::weight).sum(),
            // The path is the key, too.
            bytes_of_paths: 2 * file.path.as_os_str().len()
                + file.trees.keys().map(String::len).sum::<usize>(),
        })
    }
}

impl CacheFile {
    /// The tree at `root`, a new one if need be.
    fn tree(&mut self, root: String) -> &mut Tree {
        if self.trees.len() >= MOST_ROOTS && !self.trees.contains_key(&root) {
            self.trees.clear();
        }
        self.trees.entry(root).or_insert_with(Tree::new)
    }

    /// Takes over what somebody else made of the file.
    fn refresh(&mut self) {
        let stamp = self.path.is_absolute().then(|| Stamp::of(&self.path)).flatten();
        if stamp == self.stamp && !self.is_new {
            return;
        }
        let was_kept = self.stamp.is_some();
        self.is_new = false;
        self.stamp = stamp;
        match state_file::read(&self.path) {
            // Removed to make the next check say "run".
            Ok(trees) if stamp.is_some() || was_kept => self.trees = trees,
            Ok(_) => {}
            Err(error) => {
                self.trees.clear();
                self.warn(&error);
            }
        }
    }

    /// Keeps the state in the file, where that is possible.
    fn keep(&mut self) {
        if !self.path.is_absolute() {
            return;
        }
        if let Err(error) = state_file::write(&self.path, &self.trees) {
            self.warn(&error);
        }
        self.stamp = Stamp::of(&self.path);
    }

    fn warn(&self, error: &StateError) {
        tracing::warn!(path = %self.path.display(), error = chain(error), "a fingerprint is in memory only");
    }
}

impl Comparison {
    /// An unknown text selects hashing, which no file time can deceive; a released daemon accepts any text.
    fn of(text: &str) -> Self {
        if text == "two-layer" { Self::TwoLayer } else { Self::Hash }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Safe after a panic: a check compares the state with the files before it uses it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
