//! Hashes of programs, which are too large to be read for every run.

use std::fs::{self, Metadata};
use std::path::Path;

use bytes::Bytes;
use ipc_os::InodeStamp;

use crate::key::{Key, Kind, Recipe};
use crate::shelf::Shelf;

/// Hashes programs, and remembers each hash with the stamp of the file.
pub(crate) struct Programs<'a> {
    shelf: &'a mut dyn Shelf,
    now_ns: i64,
}

impl std::fmt::Debug for Programs<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Programs").field("now_ns", &self.now_ns).finish_non_exhaustive()
    }
}

impl<'a> Programs<'a> {
    pub(crate) fn new(shelf: &'a mut dyn Shelf, now_ns: i64) -> Self {
        Self { shelf, now_ns }
    }

    /// Returns the hash of the program at `path`, which has this `metadata`; `None` if it cannot be read.
    ///
    /// A system without inodes gives no hash: reading every program for every run would take too long.
    pub(crate) fn hash(&mut self, path: &Path, metadata: &Metadata) -> Option<Key> {
        let stamp = InodeStamp::of(metadata)?;
        let mut recipe = Recipe::new("program");
        recipe.bytes("path", path.to_str()?.as_bytes());
        recipe.text("stamp", &format!("{stamp:?}"));
        let key = recipe.key();
        let is_settled = stamp.is_settled_at(self.now_ns);
        if is_settled
            && let Some(known) = self.shelf.fetch(Kind::Facts, &key)
            && let Ok(known) = <[u8; 32]>::try_from(&*known)
        {
            return Some(Key::from_bytes(known));
        }
        let hash = Key::of_contents(&fs::read(path).ok()?);
        let is_same = InodeStamp::of(&fs::metadata(path).ok()?) == Some(stamp);
        if is_settled && is_same {
            // Without it the program is read again.
            let _ = self.shelf.keep(Kind::Facts, &key, Bytes::copy_from_slice(hash.as_bytes()));
        }
        is_same.then_some(hash)
    }
}
