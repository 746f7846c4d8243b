//! The state of a tree: each file that counts, with its length, time and hash.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use walkdir::{DirEntry, WalkDir};

use super::filter::Filter;
use super::{Comparison, ScanError};

/// Files of one tree. More than that are not kept: the daemon has the memory for every client's.
pub(super) const MOST_FILES: usize = 200_000;

/// A file that was written this shortly before it was looked at may be written again without a change of its
/// time.
const COARSEST_CLOCK: Duration = Duration::from_secs(2);

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) len: u64,
    pub(super) modified: Option<SystemTime>,
    pub(super) hash: blake3::Hash,
}

/// Every file that counted, at one time.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    pub(super) taken: SystemTime,
    /// By path below the root, with `/`.
    pub(super) files: BTreeMap<String, Seen>,
}

/// The root, filter and comparison of one scan.
#[derive(Debug)]
pub(super) struct Look<'a> {
    pub(super) root: &'a Path,
    pub(super) filter: &'a Filter,
    pub(super) comparison: Comparison,
    /// A file of ours that may lie in the tree and does not count.
    pub(super) own_file: &'a Path,
    /// Set when the client no longer waits.
    pub(super) given_up: &'a AtomicBool,
    pub(super) most: usize,
}

impl Snapshot {
    /// Looks at the tree. Hashes in `known` are believed where length and time allow it.
    pub(super) fn take(look: &Look<'_>, known: &[&Self]) -> Result<Self, ScanError> {
        let taken = SystemTime::now();
        if !look.root.is_absolute() {
            return Err(ScanError::Relative(look.root.to_owned()));
        }
        let root = std::fs::canonicalize(look.root)
            .map_err(|source| ScanError::Root { root: look.root.to_owned(), source })?;
        let own_file = canonical(look.own_file);
        let below = |entry: &DirEntry| entry.path().strip_prefix(&root).unwrap_or(entry.path()).to_owned();
        let enters = |entry: &DirEntry| {
            let is_root = entry.depth() == 0;
            is_root
                || !entry.file_type().is_dir()
                || look.filter.enters(&entry.file_name().to_string_lossy(), &below(entry))
        };
        let mut files = BTreeMap::new();
        // Links are not followed, so that the tree has no cycles and no end elsewhere.
        for entry in WalkDir::new(&root).into_iter().filter_entry(enters) {
            if look.given_up.load(Ordering::Relaxed) {
                return Err(ScanError::GivenUp);
            }
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) if is_gone(error.io_error()) => continue,
                Err(error) => return Err(unreadable(&root, error)),
            };
            let relative = below(&entry);
            if !entry.file_type().is_file() || entry.path() == own_file || !look.filter.counts(&relative) {
                continue;
            }
            let name = name(&relative);
            match see(look, &entry, known, &name) {
                Ok(seen) => drop(files.insert(name, seen)),
                // Removed since the directory was read.
                Err(error) if is_gone(Some(&error)) => continue,
                Err(error) if look.given_up.load(Ordering::Relaxed) => {
                    drop(error);
                    return Err(ScanError::GivenUp);
                }
                Err(source) => return Err(ScanError::Unreadable { path: entry.into_path(), source }),
            }
            if files.len() > look.most {
                return Err(ScanError::TooMany { root, most: look.most });
            }
        }
        Ok(Self { taken, files })
    }

    /// Returns the paths that differ: missing on one side, or with other contents.
    pub(super) fn changed_since(&self, before: &Self) -> Vec<String> {
        let differs = |(path, seen): &(&String, &Seen)| {
            before.files.get(*path).is_none_or(|then| then.hash != seen.hash)
        };
        let gone = before.files.keys().filter(|path| !self.files.contains_key(*path));
        let mut changed: Vec<_> =
            self.files.iter().filter(differs).map(|(path, _)| path).chain(gone).cloned().collect();
        changed.sort();
        changed
    }

    fn hash_of(&self, name: &str, len: u64, modified: SystemTime) -> Option<blake3::Hash> {
        let seen = self.files.get(name)?;
        let is_settled = modified.checked_add(COARSEST_CLOCK).is_some_and(|settled| settled < self.taken);
        (is_settled && seen.len == len && seen.modified == Some(modified)).then_some(seen.hash)
    }
}

fn see(look: &Look<'_>, entry: &DirEntry, known: &[&Snapshot], name: &str) -> io::Result<Seen> {
    // Read before the contents, so that a write in between leaves another time.
    let metadata = entry.metadata().map_err(io::Error::from)?;
    let (len, modified) = (metadata.len(), metadata.modified().ok());
    let believed = match (look.comparison, modified) {
        (Comparison::TwoLayer, Some(modified)) => {
            known.iter().find_map(|snapshot| snapshot.hash_of(name, len, modified))
        }
        _ => None,
    };
    let hash = match believed {
        Some(hash) => hash,
        None => hash(entry.path(), look.given_up)?,
    };
    Ok(Seen { len, modified, hash })
}

fn hash(path: &Path, given_up: &AtomicBool) -> io::Result<blake3::Hash> {
    let mut file = File::open(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        if given_up.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finalize()),
            Ok(read) => drop(hasher.update(&buffer[..read])),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Returns the path as text. A path that is not UTF-8 becomes a hash, so that two paths never share a name.
fn name(relative: &Path) -> String {
    let text = relative.to_str().map_or_else(
        || {
            let hash = blake3::hash(relative.as_os_str().as_encoded_bytes()).to_hex();
            format!("{} ({hash})", relative.to_string_lossy())
        },
        str::to_owned,
    );
    if std::path::MAIN_SEPARATOR == '/' { text } else { text.replace(std::path::MAIN_SEPARATOR, "/") }
}

/// The path of a file that need not be there, as a walk names it.
fn canonical(file: &Path) -> PathBuf {
    let parent = file.parent().and_then(|parent| std::fs::canonicalize(parent).ok());
    match (parent, file.file_name()) {
        (Some(parent), Some(name)) => parent.join(name),
        _ => file.to_owned(),
    }
}

fn is_gone(error: Option<&io::Error>) -> bool {
    error.is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
}

fn unreadable(root: &Path, error: walkdir::Error) -> ScanError {
    let path = error.path().unwrap_or(root).to_owned();
    let source = error.into_io_error().unwrap_or_else(|| io::Error::other("it is part of a cycle"));
    ScanError::Unreadable { path, source }
}
