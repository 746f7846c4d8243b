//! The open store file: its tables and what is done with them in one transaction.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use redb::{
    Builder, Database, OwnedAccessGuard, ReadableDatabase as _, ReadableTable as _,
    ReadableTableMetadata as _, TableHandle as _, WriteTransaction,
};
use zccache_ipc::model::{RustArtifactInfo, StoreResult};

use super::job::Put;
use super::tables::{ARTIFACTS, BYTES, RUST, SUMS, Tables};
use super::{Figures, OpenError, entry};

/// Pages that are kept in memory.
const CACHE_BYTES: usize = 64 << 20;

/// Values of this many bytes and more are sent from the database's page. A shorter one is copied, so that
/// nothing of the database waits for a client that is slow to take it.
const SHARED: usize = 64 << 10;

/// The most bytes of keys and names that a list of Rust artifacts has: it must fit a reply.
const MOST_LISTED: usize = 8 << 20;

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

/// A stored value where the database has it in memory. The transaction that read it ends with it.
struct Page(OwnedAccessGuard<&'static [u8]>);

impl AsRef<[u8]> for Page {
    fn as_ref(&self) -> &[u8] {
        self.0.value()
    }
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
        Tables::open(&transaction)?.finish()?;
        transaction.commit()?;
        Ok(())
    }

    /// Returns the sealed artifact under `key`, unless it has more than `most` bytes.
    pub(super) fn read(&self, key: &str, most: usize) -> Result<Option<Read>, redb::Error> {
        let table = self.database.begin_read()?.open_table(ARTIFACTS)?;
        Ok(table.get_owned(key)?.map(|value| match value.value().len() {
            longer if longer > most => Read::Longer,
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

    /// How much is in the file.
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
        let mut tables = Tables::open(&transaction)?;
        // Before the new ones, so that what was found a moment ago does not go for them.
        for key in used {
            tables.recency.used_again(key)?;
        }
        for Put { key, value, rust: description, replaces, .. } in batch {
            if !replaces && tables.is_sound(key)? == Some(true) {
                tables.recency.used_again(key)?;
                results.push(StoreResult::AlreadyExists);
                continue;
            }
            tables.insert(key, value, description.as_deref())?;
            results.push(StoreResult::Stored);
        }
        let removed = tables.shrink_to(most)?;
        tables.finish()?;
        transaction.commit()?;
        if removed > 0 {
            tracing::debug!(removed, most, "made room in the store");
        }
        Ok(results)
    }

    /// Removes the entry under `key` if it is damaged.
    pub(super) fn recheck(&self, key: &str) -> Result<(), redb::Error> {
        let transaction = self.begin()?;
        let mut tables = Tables::open(&transaction)?;
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
        Tables::open(&transaction)?.finish()?;
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

/// Renames the file at `path` to `<path>.corrupt-1`, in the place of an older one: as large as a store may be,
/// two of them would be one too many.
pub(super) fn move_aside(path: &Path) -> Result<PathBuf, OpenError> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".corrupt-1");
    let aside = PathBuf::from(aside);
    std::fs::rename(path, &aside).map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
    Ok(aside)
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
