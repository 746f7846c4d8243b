//! Age and size of each entry, in a table beside the entries.
//!
//! A list of the store reads this table alone: the value of an entry may fill many pages.

use redb::{ReadableTable as _, Table, TableDefinition, TableError, WriteTransaction};

/// Key to the time of the store, the time of the last use, and the bytes of key and value.
///
/// Times are seconds since 1970. Entries of earlier daemons have no row.
pub(super) const AGES: TableDefinition<&str, (u64, u64, u64)> = TableDefinition::new("zccache-ipc ages 1");

/// An entry of the store, without its contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The key.
    pub key: String,
    /// Bytes of key and value.
    pub bytes: u64,
    /// Seconds since 1970 of the store, if the entry has a row.
    pub stored: Option<u64>,
    /// Seconds since 1970 of the last recorded use, if the entry has a row.
    pub used: Option<u64>,
}

/// The ages of every entry, within one transaction.
pub(super) struct Ages<'t> {
    table: Table<'t, &'static str, (u64, u64, u64)>,
    now: u64,
}

impl<'t> Ages<'t> {
    /// Opens the table, which is made if it is missing, for changes at the time `now`.
    pub(super) fn open(transaction: &'t WriteTransaction, now: u64) -> Result<Self, redb::Error> {
        Ok(Self { table: transaction.open_table(AGES)?, now })
    }

    /// Removes every age.
    pub(super) fn clear(transaction: &WriteTransaction) -> Result<(), TableError> {
        transaction.delete_table(AGES)?;
        Ok(())
    }

    /// Records a store of `bytes` bytes under `key`.
    pub(super) fn stored(&mut self, key: &str, bytes: u64) -> Result<(), redb::Error> {
        self.table.insert(key, (self.now, self.now, bytes))?;
        Ok(())
    }

    /// Records a use of `key`, if it has an age.
    pub(super) fn used(&mut self, key: &str) -> Result<(), redb::Error> {
        let row = self.table.get(key)?.map(|row| row.value());
        if let Some((stored, _, bytes)) = row {
            self.table.insert(key, (stored, self.now, bytes))?;
        }
        Ok(())
    }

    /// Returns the bytes of key and value, if `key` has an age.
    pub(super) fn bytes(&self, key: &str) -> Result<Option<u64>, redb::Error> {
        Ok(self.table.get(key)?.map(|row| row.value().2))
    }

    /// Forgets `key`, which is gone.
    pub(super) fn forget(&mut self, key: &str) -> Result<(), redb::Error> {
        self.table.remove(key)?;
        Ok(())
    }
}
