//! The tables of the store within one transaction that writes, and the sums over them.

use redb::{ReadableTable as _, Table, TableDefinition, WriteTransaction};

use super::ages::Ages;
use super::entry::{self, Sealed};
use super::recency::Recency;

/// Key to sealed artifact. The number is the version of the table's layout; an entry has its own in its frame.
pub(super) const ARTIFACTS: TableDefinition<&str, &[u8]> = TableDefinition::new("zccache-ipc artifacts 2");
/// Key to sealed description, for the artifacts of rustc among them.
pub(super) const RUST: TableDefinition<&str, &[u8]> = TableDefinition::new("zccache-ipc rust artifacts 2");
/// Sums over the entries, so that `Status` need not read them.
pub(super) const SUMS: TableDefinition<&str, u64> = TableDefinition::new("zccache-ipc sums 2");
/// Of keys and values.
pub(super) const BYTES: &str = "bytes";
/// Of the pages that they take, and of their rows in the other tables. Earlier daemons counted less as "room".
pub(super) const ROOM: &str = "room 2";

/// The unit of the file.
const PAGE: u64 = 4096;

/// Everything that is stored, open for changes.
pub(super) struct Tables<'t> {
    artifacts: Table<'t, &'static str, &'static [u8]>,
    rust: Table<'t, &'static str, &'static [u8]>,
    sums: Table<'t, &'static str, u64>,
    recency: Recency<'t>,
    ages: Ages<'t>,
    bytes: u64,
    room: u64,
}

impl<'t> Tables<'t> {
    /// Opens the tables, making them where they are missing, for changes at the time `now` in seconds since 1970.
    pub(super) fn open(transaction: &'t WriteTransaction, now: u64) -> Result<Self, redb::Error> {
        let sums = transaction.open_table(SUMS)?;
        let sum = |name| sums.get(name).map(|sum| sum.map(|sum| sum.value()));
        let (bytes, room) = (sum(BYTES)?.unwrap_or(0), sum(ROOM)?);
        let mut tables = Self {
            artifacts: transaction.open_table(ARTIFACTS)?,
            rust: transaction.open_table(RUST)?,
            recency: Recency::open(transaction)?,
            ages: Ages::open(transaction, now)?,
            sums,
            bytes,
            room: 0,
        };
        tables.room = room.map_or_else(|| tables.counted(), Ok)?;
        Ok(tables)
    }

    /// Returns the room of all entries of a file that has no such sum.
    fn counted(&self) -> Result<u64, redb::Error> {
        let mut sum = 0;
        for row in self.recency.of_key.iter()? {
            let (key, _) = row?;
            let key = key.value();
            let len = match self.ages.bytes(key)? {
                Some(bytes) => usize::try_from(bytes).unwrap_or(usize::MAX).saturating_sub(key.len()),
                None => self.artifacts.get(key)?.map_or(0, |value| value.value().len()),
            };
            sum += room(key, len);
        }
        Ok(sum)
    }

    /// Removes every table.
    pub(super) fn clear(transaction: &WriteTransaction) -> Result<(), redb::Error> {
        transaction.delete_table(ARTIFACTS)?;
        transaction.delete_table(RUST)?;
        transaction.delete_table(SUMS)?;
        Recency::clear(transaction)?;
        Ages::clear(transaction)?;
        Ok(())
    }

    /// Returns true if the entry under `key` is sound; `None` without an entry.
    pub(super) fn is_sound(&self, key: &str) -> Result<Option<bool>, redb::Error> {
        Ok(self.artifacts.get(key)?.map(|value| entry::is_sound(key, value.value())))
    }

    /// Puts an entry in the place of whatever is there, as the one used last.
    pub(super) fn insert(
        &mut self,
        key: &str,
        value: &Sealed,
        description: Option<&Sealed>,
    ) -> Result<(), redb::Error> {
        // First, so that the old and the new value are not in memory together.
        self.remove(key)?;
        value.write(self.artifacts.insert_reserve(key, value.len())?.as_mut());
        if let Some(description) = description {
            description.write(self.rust.insert_reserve(key, description.len())?.as_mut());
        }
        self.recency.used(key)?;
        self.ages.stored(key, weight(key, value.len()))?;
        self.bytes += weight(key, value.len());
        self.room += room(key, value.len());
        Ok(())
    }

    /// Makes the entry under `key` the one used last, if it is there.
    pub(super) fn used_again(&mut self, key: &str) -> Result<(), redb::Error> {
        self.recency.used_again(key)?;
        self.ages.used(key)
    }

    /// Removes the entry under `key`; returns true if it was there.
    pub(super) fn remove(&mut self, key: &str) -> Result<bool, redb::Error> {
        self.recency.forget(key)?;
        self.take(key)
    }

    /// Removes up to `at_once` entries until at most `most` bytes of room are taken, those not used for longest
    /// first, and returns how many went.
    pub(super) fn shrink_to(&mut self, most: u64, at_once: u64) -> Result<u64, redb::Error> {
        let mut removed = 0;
        while self.room > most && removed < at_once {
            let Some(key) = self.recency.pop_oldest()? else { break };
            self.take(&key)?;
            removed += 1;
        }
        Ok(removed)
    }

    /// Writes the sums. Nothing may be changed after it.
    pub(super) fn finish(mut self) -> Result<(), redb::Error> {
        self.sums.insert(BYTES, self.bytes)?;
        self.sums.insert(ROOM, self.room)?;
        Ok(())
    }

    fn take(&mut self, key: &str) -> Result<bool, redb::Error> {
        let len = self.artifacts.remove(key)?.map(|old| old.value().len());
        if let Some(len) = len {
            self.bytes = self.bytes.saturating_sub(weight(key, len));
            self.room = self.room.saturating_sub(room(key, len));
        }
        self.rust.remove(key)?;
        self.ages.forget(key)?;
        Ok(len.is_some())
    }
}

fn weight(key: &str, len: usize) -> u64 {
    (key.len() + len) as u64
}

/// Returns about what an entry takes in the file.
///
/// An entry above half a page gets a power of two of pages, and its key has a row in three other tables.
pub(super) fn room(key: &str, len: usize) -> u64 {
    let bytes = weight(key, len);
    let pages = if bytes <= PAGE / 2 { bytes } else { bytes.div_ceil(PAGE).next_power_of_two() * PAGE };
    pages + 3 * key.len() as u64 + ROWS
}

/// Numbers and offsets of an entry's rows in the other tables.
const ROWS: u64 = 100;
