//! File hashes, remembered by the metadata of each file.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use zccache_ipc::endpoint::{InodeStamp, file_clock_ns};

/// Files of one generation; at most two generations are kept.
const MOST: usize = 50_000;

/// Remembers hashes by device, inode, length and both times.
///
/// A file that changed within the last tick of the file system's clock is read again: it could change once more
/// without another time.
#[derive(Debug)]
pub(super) struct Memo {
    generations: Mutex<Generations>,
    most: usize,
}

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<(u64, u64), (InodeStamp, blake3::Hash)>,
    old: HashMap<(u64, u64), (InodeStamp, blake3::Hash)>,
}

impl Default for Memo {
    fn default() -> Self {
        Self { generations: Mutex::default(), most: MOST }
    }
}

impl Memo {
    /// Returns the BLAKE3 hash of the file at `path`, which must be a plain file. Blocks.
    pub(super) fn hash(&self, path: &Path) -> io::Result<blake3::Hash> {
        self.hash_at(path, file_clock_ns())
    }

    fn hash_at(&self, path: &Path, now: i64) -> io::Result<blake3::Hash> {
        let metadata = fs::metadata(path)?;
        // A fifo would be waited for.
        plain(&metadata)?;
        let before = InodeStamp::of(&metadata);
        if let Some(hash) = before.and_then(|stamp| self.recall(stamp)) {
            return Ok(hash);
        }
        let mut file = File::open(path)?;
        plain(&file.metadata()?)?;
        let mut hasher = blake3::Hasher::new();
        io::copy(&mut file, &mut hasher)?;
        let hash = hasher.finalize();
        let after = InodeStamp::of(&file.metadata()?);
        if let Some(stamp) = after.filter(|stamp| after == before && stamp.is_trusted_at(path, now)) {
            self.remember(stamp, hash);
        }
        Ok(hash)
    }

    fn recall(&self, stamp: InodeStamp) -> Option<blake3::Hash> {
        let mut generations = self.generations();
        let at = (stamp.device, stamp.inode);
        if let Some((_, hash)) = generations.young.get(&at).filter(|(known, _)| *known == stamp) {
            return Some(*hash);
        }
        let (_, hash) = *generations.old.get(&at).filter(|(known, _)| *known == stamp)?;
        self.insert(&mut generations, stamp, hash);
        Some(hash)
    }

    fn remember(&self, stamp: InodeStamp, hash: blake3::Hash) {
        self.insert(&mut self.generations(), stamp, hash);
    }

    fn insert(&self, generations: &mut Generations, stamp: InodeStamp, hash: blake3::Hash) {
        if generations.young.len() >= self.most {
            generations.old = std::mem::take(&mut generations.young);
        }
        generations.young.insert((stamp.device, stamp.inode), (stamp, hash));
    }

    fn generations(&self) -> MutexGuard<'_, Generations> {
        // Nothing panics between two changes that belong together.
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn plain(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() { Ok(()) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn a_file_that_changed_within_the_last_tick_is_not_remembered() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("f");
        fs::write(&path, "text").unwrap();
        let changed = InodeStamp::of(&path.metadata().unwrap()).unwrap().changed_ns;
        let second = 1_000_000_000;
        for (now, expected) in
            [(changed, 0), (changed + 1, 0), (changed - second, 0), (changed + 10 * second, 1)]
        {
            let memo = Memo::default();
            assert_eq!(memo.hash_at(&path, now).unwrap(), blake3::hash(b"text"));
            assert_eq!(memo.generations().young.len(), expected, "{} ns later", now - changed);
        }
    }

    #[test]
    fn a_file_with_the_same_length_and_time_of_modification_is_hashed_again() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("f");
        let memo = Memo::default();
        for round in 0..200_u32 {
            let text = format!("{round:08}");
            fs::write(&path, &text).unwrap();
            File::options().write(true).open(&path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
            assert_eq!(memo.hash(&path).unwrap(), blake3::hash(text.as_bytes()), "round {round}");
        }
    }

    #[test]
    fn a_special_file_has_no_hash() {
        let dir = tempfile::TempDir::new().unwrap();
        let memo = Memo::default();
        assert!(memo.hash(dir.path()).is_err());
        assert!(memo.hash(&dir.path().join("missing")).is_err());
        assert!(memo.hash(Path::new("/dev/zero")).is_err());
    }

    #[test]
    fn the_memo_is_bounded() {
        let dir = tempfile::TempDir::new().unwrap();
        let memo = Memo { most: 4, ..Memo::default() };
        let stamp = |inode| InodeStamp { device: 1, inode, len: 1, modified_ns: 1, changed_ns: 1 };
        for inode in 0..100 {
            memo.remember(stamp(inode), blake3::hash(&inode.to_le_bytes()));
        }
        let generations = memo.generations();
        assert!(generations.young.len() + generations.old.len() <= 8);
        drop(generations);
        assert_eq!(memo.recall(stamp(99)), Some(blake3::hash(&99_u64.to_le_bytes())));
        assert_eq!(memo.recall(InodeStamp { changed_ns: 2, ..stamp(99) }), None);
        assert_eq!(memo.recall(stamp(1)), None);
        drop(dir);
    }
}
