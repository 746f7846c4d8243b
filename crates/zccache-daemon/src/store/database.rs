//! The open store file: its tables and what is done with them in one transaction.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use redb::{
    Builder, Database, ReadableDatabase as _, ReadableTable as _, ReadableTableMetadata as _,
    TableDefinition, TableHandle as _, WriteTransaction,
};
use zccache_ipc::model::{RustArtifactInfo, StoreResult};

use super::job::Put;
use super::{Figures, OpenError, entry};

/// Key to sealed artifact. The version is that of the table's own layout; an entry's is in its frame.
const ARTIFACTS: TableDefinition<&str, &[u8]> = TableDefinition::new("zccache-ipc artifacts 1");
/// Key to sealed description, for the artifacts of rustc among them.
const RUST: TableDefinition<&str, &[u8]> = TableDefinition::new("zccache-ipc rust artifacts 1");
/// Sums over the entries, so that nobody has to go through them.
const SUMS: TableDefinition<&str, u64> = TableDefinition::new("zccache-ipc sums 1");
const BYTES: &str = "bytes";

/// Pages that are kept in memory.
const CACHE_BYTES: usize = 64 << 20;

/// How many damaged files are kept beside the store.
const KEPT_ASIDE: u32 = 8;

/// A store file that this process alone has open.
#[derive(Debug)]
pub(super) struct StoreFile {
    database: Database,
}

/// What is stored under a key.
#[derive(Debug)]
pub(super) enum Read {
    /// This.
    Value(Bytes),
    /// More bytes than were asked for.
    Longer,
}

/// Why a file is not used as it is.
enum Unusable {
    /// Damaged, or something else: it may be moved aside.
    Foreign(redb::Error),
    /// Nothing is known to be wrong with it.
    Fatal(OpenError),
}

impl StoreFile {
    /// Opens or creates the file, moving one that cannot be used aside.
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        let why = match Self::try_open(path) {
            Ok(file) => return Ok(file),
            Err(Unusable::Fatal(error)) => return Err(error),
            Err(Unusable::Foreign(why)) => why,
        };
        let aside = move_aside(path)?;
        tracing::warn!(
            path = %path.display(), aside = %aside.display(), %why,
            "the store is damaged or is something else: it is kept aside and a new one is begun"
        );
        Self::try_open(path).map_err(|error| match error {
            Unusable::Fatal(error) => error,
            Unusable::Foreign(source) => OpenError::Database { path: path.to_owned(), source },
        })
    }

    fn try_open(path: &Path) -> Result<Self, Unusable> {
        // A damaged file can also fail the database's own assertions.
        let database = unpanicked(|| Builder::new().set_cache_size(CACHE_BYTES).create(path));
        let database = match database {
            Ok(Ok(database)) => database,
            Ok(Err(error)) => return Err(Unusable::of(path, error.into())),
            Err(error) => return Err(Unusable::Foreign(error)),
        };
        let file = Self { database };
        match unpanicked(|| file.prepare()) {
            Ok(Ok(())) => Ok(file),
            Ok(Err(error)) => Err(Unusable::of(path, error)),
            Err(error) => Err(Unusable::Foreign(error)),
        }
    }

    /// Makes the tables, unless the file is another program's.
    fn prepare(&self) -> Result<(), redb::Error> {
        let transaction = self.begin()?;
        let names: Vec<_> = transaction.list_tables()?.map(|table| table.name().to_owned()).collect();
        let is_new = names.is_empty() && transaction.list_multimap_tables()?.next().is_none();
        if !is_new && !names.iter().any(|name| name == ARTIFACTS.name()) {
            return Err(redb::Error::Corrupted("its tables are not those of a store".to_owned()));
        }
        make_tables(&transaction)?;
        transaction.commit()?;
        Ok(())
    }

    /// Returns the sealed artifact under `key`, unless it has more than `most` bytes.
    pub(super) fn read(&self, key: &str, most: usize) -> Result<Option<Read>, redb::Error> {
        let table = self.database.begin_read()?.open_table(ARTIFACTS)?;
        Ok(table.get(key)?.map(|value| match value.value() {
            long if long.len() > most => Read::Longer,
            value => Read::Value(Bytes::copy_from_slice(value)),
        }))
    }

    /// Describes every Rust artifact, leaving out damaged descriptions.
    pub(super) fn rust_artifacts(&self) -> Result<Vec<RustArtifactInfo>, redb::Error> {
        let table = self.database.begin_read()?.open_table(RUST)?;
        let mut all = Vec::new();
        for row in table.iter()? {
            let (key, value) = row?;
            match entry::unseal_info(key.value(), &Bytes::copy_from_slice(value.value())) {
                Ok(info) => all.push(info),
                Err(why) => tracing::warn!(key = key.value(), %why, "a description is left out"),
            }
        }
        Ok(all)
    }

    /// How much is in the file.
    pub(super) fn figures(&self) -> Result<Figures, redb::Error> {
        let transaction = self.database.begin_read()?;
        let artifacts = transaction.open_table(ARTIFACTS)?.len()?;
        let bytes = transaction.open_table(SUMS)?.get(BYTES)?.map_or(0, |sum| sum.value());
        Ok(Figures { artifacts, bytes })
    }

    /// Stores what is not there yet, all of it or nothing. It is on disk when this returns.
    pub(super) fn put(&self, batch: &[Put]) -> Result<Vec<StoreResult>, redb::Error> {
        let transaction = self.begin()?;
        let mut results = Vec::with_capacity(batch.len());
        {
            let mut artifacts = transaction.open_table(ARTIFACTS)?;
            let mut rust = transaction.open_table(RUST)?;
            let mut sums = transaction.open_table(SUMS)?;
            let mut bytes = sums.get(BYTES)?.map_or(0, |sum| sum.value());
            for Put { key, value, rust: description, .. } in batch {
                let key = key.as_str();
                let there = artifacts.get(key)?.map(|value| Bytes::copy_from_slice(value.value()));
                if there.is_some_and(|value| entry::unseal(key, &value).is_ok()) {
                    results.push(StoreResult::AlreadyExists);
                    continue;
                }
                let replaced = artifacts.insert(key, value.as_slice())?.map(|old| weight(key, old.value()));
                bytes = (bytes + weight(key, value)).saturating_sub(replaced.unwrap_or(0));
                match description {
                    Some(description) => drop(rust.insert(key, description.as_slice())?),
                    None => drop(rust.remove(key)?),
                }
                results.push(StoreResult::Stored);
            }
            sums.insert(BYTES, bytes)?;
        }
        transaction.commit()?;
        Ok(results)
    }

    /// Removes the entry under `key` if it is damaged.
    pub(super) fn recheck(&self, key: &str) -> Result<(), redb::Error> {
        let transaction = self.begin()?;
        {
            let mut artifacts = transaction.open_table(ARTIFACTS)?;
            let there = artifacts.get(key)?.map(|value| Bytes::copy_from_slice(value.value()));
            let Some(value) = there.filter(|value| entry::unseal(key, value).is_err()) else {
                return Ok(());
            };
            artifacts.remove(key)?;
            transaction.open_table(RUST)?.remove(key)?;
            let mut sums = transaction.open_table(SUMS)?;
            let bytes = sums.get(BYTES)?.map_or(0, |sum| sum.value());
            sums.insert(BYTES, bytes.saturating_sub(weight(key, &value)))?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Removes every entry and returns how many there were; the file keeps its size.
    pub(super) fn remove_all(&self) -> Result<u64, redb::Error> {
        let transaction = self.begin()?;
        let removed = transaction.open_table(ARTIFACTS)?.len()?;
        transaction.delete_table(ARTIFACTS)?;
        transaction.delete_table(RUST)?;
        transaction.delete_table(SUMS)?;
        make_tables(&transaction)?;
        transaction.commit()?;
        Ok(removed)
    }

    /// Gives unused space back to the file system.
    pub(super) fn shrink(&mut self) -> Result<(), redb::Error> {
        self.database.compact()?;
        Ok(())
    }

    /// Begins to write: durable, and readable at once after a crash, without a walk through all pages.
    fn begin(&self) -> Result<WriteTransaction, redb::Error> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_quick_repair(true);
        Ok(transaction)
    }
}

impl Unusable {
    fn of(path: &Path, error: redb::Error) -> Self {
        let path = path.to_owned();
        match error {
            redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => {
                Self::Fatal(OpenError::Locked(path))
            }
            redb::Error::Io(source)
                if !matches!(source.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) =>
            {
                Self::Fatal(OpenError::Io { path, source })
            }
            error => Self::Foreign(error),
        }
    }
}

/// Runs `work`, and tells of a panic as of damage.
pub(super) fn unpanicked<T>(work: impl FnOnce() -> T) -> Result<T, redb::Error> {
    // What `work` leaves half done is in the database, which is dropped and opened anew after this.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
        .map_err(|_| redb::Error::Corrupted("the database failed an assertion".to_owned()))
}

/// Renames the file at `path` to `<path>.corrupt-<n>`; the last name is used again when all are taken.
pub(super) fn move_aside(path: &Path) -> Result<PathBuf, OpenError> {
    let name = |n: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".corrupt-{n}"));
        PathBuf::from(name)
    };
    let free = (1..KEPT_ASIDE).map(name).find(|name| name.symlink_metadata().is_err());
    let aside = free.unwrap_or_else(|| name(KEPT_ASIDE));
    std::fs::rename(path, &aside).map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
    Ok(aside)
}

fn make_tables(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(ARTIFACTS)?;
    transaction.open_table(RUST)?;
    transaction.open_table(SUMS)?;
    Ok(())
}

fn weight(key: &str, value: &[u8]) -> u64 {
    (key.len() + value.len()) as u64
}

#[cfg(test)]
impl StoreFile {
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
