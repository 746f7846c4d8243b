//! Manifests: the sets of inputs that one call had, newest first, each with the result that it gave.
//!
//! An input is a file with its contents, a file that is there, or a name that is not there. Names that are missing count
//! as much as files: a header that newly comes first in the search path is another input.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use bytes::Bytes;
use ipc_os::InodeStamp;

use crate::key::Key;

/// The most sets of one manifest.
pub(crate) const MOST_SETS: usize = 12;

/// The most inputs of one set.
pub(crate) const MOST_INPUTS: usize = 20_000;

/// The way in which a file is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Compare {
    /// By its contents.
    Contents(Key),
    /// By its stamp, and where that is another one by its contents: a program, too large to be read for every run.
    ///
    /// A file without a hash must have the same stamp, where the system has stamps.
    Program(Option<Key>),
}

/// A file as it was.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct FileState {
    /// Absolute, or relative to the working directory.
    pub(crate) path: String,
    pub(crate) len: u64,
    pub(crate) modified_ns: i64,
    pub(crate) compare: Compare,
    /// The stamp that stands for this state, if it could be trusted then.
    pub(crate) stamp: Option<InodeStamp>,
}

/// Names that a directory did not have.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Vacancy {
    pub(crate) dir: String,
    /// Names of one part each, in order.
    pub(crate) names: Vec<String>,
    /// True if the names cannot appear without a change of the directory.
    pub(crate) shows: bool,
    /// The stamp of the directory, if it shows them and could be trusted then.
    pub(crate) stamp: Option<InodeStamp>,
}

/// Every name in a directory.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Listing {
    pub(crate) dir: String,
    pub(crate) names: Key,
}

/// One set of inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Set {
    pub(crate) result: Key,
    /// Hash of the variables that messages depended on, if messages were printed.
    pub(crate) voice: Option<Key>,
    /// True if the times of files must be the same as well.
    pub(crate) is_strict: bool,
    pub(crate) files: Vec<Arc<FileState>>,
    /// Files that are one file by two names: the later and the earlier place in the list.
    pub(crate) aliases: Vec<(usize, usize)>,
    pub(crate) vacancies: Vec<Arc<Vacancy>>,
    /// Paths at which something must be.
    pub(crate) present: Vec<String>,
    pub(crate) listings: Vec<Listing>,
    /// Directories that the compiler compares with each other, because it searches none twice.
    pub(crate) compared: Vec<String>,
    /// Which of `compared` are one directory by two names, as in `aliases`.
    pub(crate) same_dirs: Vec<(usize, usize)>,
}

/// The largest result that a manifest carries, in bytes.
pub(crate) const LARGEST_CARRIED: usize = 32 << 10;

/// A result that stands in the manifest itself, which saves its own entry in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Carried {
    pub(crate) result: Key,
    /// The only part of the result.
    pub(crate) part: Bytes,
}

/// The sets of one call, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) sets: Vec<Set>,
    /// The result of one of the sets.
    pub(crate) carried: Option<Carried>,
}

impl Manifest {
    /// Puts `set` first. A set of the same result makes way, and so does the oldest of too many.
    pub(crate) fn add(&mut self, set: Set) {
        self.sets.retain(|old| old.result != set.result);
        self.sets.insert(0, set);
        self.sets.truncate(MOST_SETS);
    }

    /// Takes a result of one small part; returns what was carried before and needs an entry of its own.
    pub(crate) fn carry(&mut self, carried: Option<Carried>) -> Option<Carried> {
        let before = std::mem::replace(&mut self.carried, carried)?;
        let is_needed = self.sets.iter().any(|set| set.result == before.result);
        let is_same = self.carried.as_ref().is_some_and(|carried| carried.result == before.result);
        (is_needed && !is_same).then_some(before)
    }

    /// Returns the carried result with this key.
    pub(crate) fn carried(&self, result: &Key) -> Option<Bytes> {
        self.carried.as_ref().filter(|carried| carried.result == *result).map(|carried| carried.part.clone())
    }
}

/// Returns which of these files or directories are one by two names.
///
/// A compiler may take a header that is included once by its inode or by its contents.
pub(crate) fn aliases(inodes: impl IntoIterator<Item = Option<(u64, u64)>>) -> Vec<(usize, usize)> {
    let mut first = HashMap::new();
    let mut aliases = Vec::new();
    for (number, inode) in inodes.into_iter().enumerate() {
        if let Some(inode) = inode {
            let earlier = *first.entry(inode).or_insert(number);
            if earlier != number {
                aliases.push((number, earlier));
            }
        }
    }
    aliases
}

/// A list in which equal values stand once.
#[derive(Debug)]
pub(crate) struct Table<'a, T> {
    pub(crate) values: Vec<&'a T>,
    numbers: HashMap<&'a T, usize>,
}

impl<T> Default for Table<'_, T> {
    fn default() -> Self {
        Self { values: Vec::new(), numbers: HashMap::new() }
    }
}

impl<'a, T: Eq + Hash> Table<'a, T> {
    pub(crate) fn number(&mut self, value: &'a T) -> usize {
        let values = &mut self.values;
        *self.numbers.entry(value).or_insert_with(|| {
            values.push(value);
            values.len() - 1
        })
    }
}
