//! A store file that is only read: the writes of the database stay in memory.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

/// Bytes that are kept together.
const BLOCK: usize = 4096;

/// Reads a file and keeps changes to it in memory.
///
/// The database marks a file as open, and repairs one that was not closed, before anything can be read. On a
/// full disk, or one that cannot be written, that must not make the entries unreachable.
#[derive(Debug)]
pub(super) struct Unwritten {
    file: FileBackend,
    changed: Mutex<Changed>,
}

#[derive(Debug)]
struct Changed {
    len: u64,
    /// The number of bytes of the file that still count: the shortest length since the start.
    of_file: u64,
    /// By their number in the file.
    blocks: BTreeMap<u64, Box<[u8; BLOCK]>>,
}

impl Unwritten {
    pub(super) fn new(file: FileBackend) -> io::Result<Self> {
        let len = file.len()?;
        Ok(Self { file, changed: Mutex::new(Changed { len, of_file: len, blocks: BTreeMap::new() }) })
    }

    fn changed(&self) -> MutexGuard<'_, Changed> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fills `out` from the first `of_file` bytes of the file, and with zeros behind them.
    fn read_file(&self, of_file: u64, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let there = usize::try_from(of_file.saturating_sub(offset)).unwrap_or(usize::MAX);
        let (there, behind) = out.split_at_mut(there.min(out.len()));
        behind.fill(0);
        if there.is_empty() { Ok(()) } else { self.file.read(offset, there) }
    }
}

/// The blocks that `len` bytes at `offset` touch: each block's number, and where the bytes begin and end in it.
fn blocks(offset: u64, len: usize) -> impl Iterator<Item = (u64, usize, usize)> {
    let size = BLOCK as u64;
    let end = offset + len as u64;
    (offset / size..end.div_ceil(size)).map(move |number| {
        let (first, last) = (number * size, (number + 1) * size);
        let within = |at: u64| usize::try_from(at - first).unwrap_or(BLOCK);
        (number, within(offset.max(first)), within(end.min(last)))
    })
}

impl StorageBackend for Unwritten {
    fn len(&self) -> io::Result<u64> {
        Ok(self.changed().len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let changed = self.changed();
        if changed.len < offset + out.len() as u64 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.read_file(changed.of_file, offset, out)?;
        let mut done = 0;
        for (number, from, to) in blocks(offset, out.len()) {
            if let Some(block) = changed.blocks.get(&number) {
                out[done..done + to - from].copy_from_slice(&block[from..to]);
            }
            done += to - from;
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut changed = self.changed();
        let kept = len.div_ceil(BLOCK as u64);
        changed.blocks.retain(|number, _| *number < kept);
        let within = usize::try_from(len % BLOCK as u64).unwrap_or(0);
        if within > 0
            && let Some(last) = changed.blocks.get_mut(&(len / BLOCK as u64))
        {
            last[within..].fill(0);
        }
        changed.of_file = changed.of_file.min(len);
        changed.len = len;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut changed = self.changed();
        let of_file = changed.of_file;
        let mut done = 0;
        for (number, from, to) in blocks(offset, data.len()) {
            let block = match changed.blocks.entry(number) {
                std::collections::btree_map::Entry::Occupied(block) => block.into_mut(),
                std::collections::btree_map::Entry::Vacant(vacant) => {
                    let mut block = Box::new([0; BLOCK]);
                    self.read_file(of_file, number * BLOCK as u64, block.as_mut_slice())?;
                    vacant.insert(block)
                }
            };
            block[from..to].copy_from_slice(&data[done..done + to - from]);
            done += to - from;
        }
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_read_back_and_the_file_stays_as_it_was() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let before: Vec<u8> = (0..10_000u32).map(|n| (n % 251) as u8).collect();
        std::fs::write(file.path(), &before).unwrap();
        let backend = Unwritten::new(FileBackend::new(file.reopen().unwrap()).unwrap()).unwrap();
        let mut expected = before.clone();
        for (offset, len) in [(0, 1), (4095, 2), (4096, 4096), (9_999, 1), (3_000, 6_000)] {
            let data: Vec<u8> = (0..len).map(|n| (n * 7 + offset) as u8).collect();
            backend.write(offset as u64, &data).unwrap();
            expected[offset..offset + len].copy_from_slice(&data);
            let mut read = vec![0; expected.len()];
            backend.read(0, &mut read).unwrap();
            assert_eq!(read, expected, "{len} at {offset}");
        }
        assert!(backend.read(9_999, &mut [0; 2]).is_err(), "behind the end");
        backend.set_len(20_000).unwrap();
        backend.write(15_000, b"grown").unwrap();
        let mut read = [1; 10];
        backend.read(14_995, &mut read).unwrap();
        assert_eq!(&read, b"\0\0\0\0\0grown");
        backend.set_len(9_000).unwrap();
        backend.set_len(20_000).unwrap();
        let mut read = vec![1; 20_000];
        backend.read(0, &mut read).unwrap();
        expected.truncate(9_000);
        expected.resize(20_000, 0);
        assert_eq!(read, expected, "what was cut off comes back as zeros");
        assert_eq!(std::fs::read(file.path()).unwrap(), before);
    }
}
