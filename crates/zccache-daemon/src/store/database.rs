//! The open store file: its tables and its transactions.

use std::fs::File;
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use redb::{
    Database, OwnedAccessGuard, ReadTransaction, ReadableDatabase as _, ReadableTable as _,
    ReadableTableMetadata as _, TableError, WriteTransaction,
};
use zccache_ipc::endpoint::leads_to;
use zccache_ipc::model::{RustArtifactInfo, StoreResult};

use super::ages::{AGES, Listed};
use super::job::Put;
use super::recency::OF_KEY;
use super::tables::{ARTIFACTS, BYTES, ROOM, RUST, SUMS, Tables};
use super::{Figures, OpenError, entry};

/// Values of this many bytes and more are sent from the database's page. A shorter one is copied, so that
/// nothing of the database waits for a client that is slow to take it.
const SHARED: usize = 64 << 10;

/// The most bytes of keys and names that a list of Rust artifacts has: it must fit a reply.
const MOST_LISTED: usize = 8 << 20;

/// The most entries of one commit that only removes.
const EVICTED: u64 = 256;

/// A store file that this process alone has open.
#[derive(Debug)]
pub(super) struct StoreFile {
    pub(super) database: Database,
    /// The same file, to tell whether its path still leads to it.
    pub(super) file: File,
    /// Why nothing can be written, where only the entries that are there can be read.
    pub(super) unwritable: Option<Arc<OpenError>>,
}

/// The entry under a key.
#[derive(Debug)]
pub(super) enum Read {
    /// This.
    Value(Bytes),
    /// More bytes than were asked for: so many.
    Longer(usize),
}

/// A stored value where the database has it in memory. The transaction that read it ends with it.
struct Page(OwnedAccessGuard<&'static [u8]>);

impl AsRef<[u8]> for Page {
    fn as_ref(&self) -> &[u8] {
        self.0.value()
    }
}

impl StoreFile {
    /// Returns true if `path` still leads to this file, so that the next daemon finds its entries.
    pub(super) fn is_at(&self, path: &Path) -> io::Result<bool> {
        leads_to(path, &self.file)
    }

    /// Returns true if the entries take more room than `most`, or if that is not known.
    pub(super) fn is_above(&self, most: u64) -> Result<bool, redb::Error> {
        let sums = self.database.begin_read()?.open_table(SUMS)?;
        Ok(sums.get(ROOM)?.is_none_or(|room| room.value() > most))
    }

    /// Returns the sealed artifact under `key`, unless it has more than `most` bytes.
    pub(super) fn read(&self, key: &str, most: usize) -> Result<Option<Read>, redb::Error> {
        let transaction = self.database.begin_read()?;
        // A long value is not read into memory to learn its length.
        if let Some(longer) = length(&transaction, key)?.filter(|len| *len > most) {
            return Ok(Some(Read::Longer(longer)));
        }
        let table = transaction.open_table(ARTIFACTS)?;
        Ok(table.get_owned(key)?.map(|value| match value.value().len() {
            longer if longer > most => Read::Longer(longer),
            len if len >= SHARED => Read::Value(Bytes::from_owner(Page(value))),
            _ => Read::Value(Bytes::copy_from_slice(value.value())),
        }))
    }

    /// Describes every Rust artifact, leaving out damaged descriptions; `None` when they are too many for a
    /// reply.
    pub(super) fn rust_artifacts(&self) -> Result<Option<Vec<RustArtifactInfo>>, redb::Error> {
        let table = self.database.begin_read()?.open_table(RUST)?;
        let (mut all, mut bytes) = (Vec::new(), 0);
        for row in table.iter()? {
            let (key, value) = row?;
            bytes += value.value().len();
            if bytes > MOST_LISTED {
                return Ok(None);
            }
            match entry::unseal_info(key.value(), &Bytes::copy_from_slice(value.value())) {
                Ok(info) => all.push(info),
                Err(why) => tracing::warn!(key = key.value(), %why, "a description is left out"),
            }
        }
        Ok(Some(all))
    }

    /// Returns the figures of the file.
    pub(super) fn figures(&self) -> Result<Figures, redb::Error> {
        let transaction = self.database.begin_read()?;
        let artifacts = transaction.open_table(ARTIFACTS)?.len()?;
        let bytes = transaction.open_table(SUMS)?.get(BYTES)?.map_or(0, |sum| sum.value());
        Ok(Figures { artifacts, bytes })
    }

    /// Stores what is not there yet, all of it or nothing, and removes what has not been used for longest
    /// from what takes more room than `most`. It is on disk when this returns.
    pub(super) fn put(
        &self,
        batch: &[Put],
        used: &[String],
        most: u64,
    ) -> Result<Vec<StoreResult>, redb::Error> {
        let transaction = self.begin()?;
        let mut results = Vec::with_capacity(batch.len());
        let mut tables = Tables::open(&transaction, now())?;
        // Before the new entries, so that these do not evict an entry that was just found.
        for key in used {
            tables.used_again(key)?;
        }
        for Put { key, value, rust: description, replaces, .. } in batch {
            if !replaces && tables.is_sound(key)? == Some(true) {
                tables.used_again(key)?;
                results.push(StoreResult::AlreadyExists);
                continue;
            }
            tables.insert(key, value, description.as_ref())?;
            results.push(StoreResult::Stored);
        }
        let removed = tables.shrink_to(most, u64::MAX)?;
        tables.finish()?;
        transaction.commit()?;
        if removed > 0 {
            tracing::debug!(removed, most, "made room in the store");
        }
        Ok(results)
    }

    /// Removes some of what has not been used for longest from what takes more room than `most`; returns how
    /// many entries went.
    pub(super) fn evict(&self, most: u64) -> Result<u64, redb::Error> {
        let transaction = self.begin()?;
        let mut tables = Tables::open(&transaction, now())?;
        let removed = tables.shrink_to(most, EVICTED)?;
        tables.finish()?;
        transaction.commit()?;
        Ok(removed)
    }

    /// Removes the entry under `key` if it is damaged.
    pub(super) fn recheck(&self, key: &str) -> Result<(), redb::Error> {
        let transaction = self.begin()?;
        let mut tables = Tables::open(&transaction, now())?;
        if tables.is_sound(key)? != Some(false) {
            return Ok(());
        }
        tables.remove(key)?;
        tables.finish()?;
        transaction.commit()?;
        Ok(())
    }

    /// Removes every entry and returns how many there were; the file keeps its size.
    pub(super) fn remove_all(&self) -> Result<u64, redb::Error> {
        let transaction = self.begin()?;
        let removed = transaction.open_table(ARTIFACTS)?.len()?;
        Tables::clear(&transaction)?;
        Tables::open(&transaction, now())?.finish()?;
        transaction.commit()?;
        Ok(removed)
    }

    /// Removes the entry under `key`; returns true if it was there.
    pub(super) fn remove(&self, key: &str) -> Result<bool, redb::Error> {
        let transaction = self.begin()?;
        let mut tables = Tables::open(&transaction, now())?;
        let was_there = tables.remove(key)?;
        tables.finish()?;
        transaction.commit()?;
        Ok(was_there)
    }

    /// Returns at most `most` entries in the order of their keys, from `from` on.
    pub(super) fn list(&self, from: Bound<&str>, most: usize) -> Result<Vec<Listed>, redb::Error> {
        let transaction = self.database.begin_read()?;
        let (keys, values) = (transaction.open_table(OF_KEY)?, transaction.open_table(ARTIFACTS)?);
        let ages = match transaction.open_table(AGES) {
            // A file of an earlier daemon, in which nothing was stored since.
            Err(TableError::TableDoesNotExist(_)) => None,
            ages => Some(ages?),
        };
        let mut all = Vec::new();
        for row in keys.range::<&str>((from, Bound::Unbounded))?.take(most) {
            let (key, _) = row?;
            let key = key.value();
            let age = ages.as_ref().map(|ages| ages.get(key)).transpose()?.flatten().map(|age| age.value());
            let (stored, used, bytes) = match age {
                Some((stored, used, bytes)) => (Some(stored), Some(used), bytes),
                None => {
                    (None, None, values.get(key)?.map_or(0, |value| key.len() + value.value().len()) as u64)
                }
            };
            all.push(Listed { key: key.to_owned(), bytes, stored, used });
        }
        Ok(all)
    }

    /// Begins to write: durable, and readable at once after a crash, without a walk through all pages.
    pub(super) fn begin(&self) -> Result<WriteTransaction, redb::Error> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_quick_repair(true);
        Ok(transaction)
    }
}

/// Returns the length of the value under `key`, if its age has been recorded.
fn length(transaction: &ReadTransaction, key: &str) -> Result<Option<usize>, redb::Error> {
    let ages = match transaction.open_table(AGES) {
        // A file of an earlier daemon, in which nothing was stored since.
        Err(TableError::TableDoesNotExist(_)) => return Ok(None),
        ages => ages?,
    };
    let bytes = ages.get(key)?.map(|age| age.value().2);
    Ok(bytes.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX).saturating_sub(key.len())))
}

/// Returns the seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Runs `work`, and tells of a panic as of damage.
pub(super) fn unpanicked<T>(work: impl FnOnce() -> T) -> Result<T, redb::Error> {
    // What `work` leaves half done is in the database, which is dropped and opened anew after this.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
        .map_err(|_| redb::Error::Corrupted("the database failed an assertion".to_owned()))
}

#[cfg(test)]
impl StoreFile {
    /// Makes the file one of a daemon that did not count the room.
    pub(super) fn forget_room(&self) {
        let transaction = self.begin().unwrap();
        transaction.open_table(SUMS).unwrap().remove(ROOM).unwrap();
        transaction.commit().unwrap();
    }

    /// Overwrites the stored bytes under `key`, as a failing disk does.
    pub(super) fn scribble(&self, key: &str) {
        let transaction = self.begin().unwrap();
        {
            let mut table = transaction.open_table(ARTIFACTS).unwrap();
            let mut value = table.get(key).unwrap().unwrap().value().to_owned();
            let middle = value.len() / 2;
            value[middle] ^= 0x40;
            table.insert(key, value.as_slice()).unwrap();
        }
        transaction.commit().unwrap();
    }
}
