//! Which entries have not been used for longest, in tables beside them.
//!
//! Each use gets the next number. The entry with the lowest number is removed first.

use redb::{ReadableTable as _, Table, TableDefinition, TableError, WriteTransaction};

/// Number of its last use to key.
pub(super) const BY_USE: TableDefinition<u64, &str> = TableDefinition::new("zccache-ipc uses 2");
/// Key to number of its last use.
pub(super) const OF_KEY: TableDefinition<&str, u64> = TableDefinition::new("zccache-ipc used keys 2");

/// The uses of every entry, within one transaction.
pub(super) struct Recency<'t> {
    by_use: Table<'t, u64, &'static str>,
    pub(super) of_key: Table<'t, &'static str, u64>,
    next: u64,
}

impl<'t> Recency<'t> {
    /// Opens the tables, making them where they are missing.
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, redb::Error> {
        let by_use = transaction.open_table(BY_USE)?;
        let of_key = transaction.open_table(OF_KEY)?;
        let next = by_use.last()?.map_or(0, |(number, _)| number.value() + 1);
        Ok(Self { by_use, of_key, next })
    }

    /// Removes every use.
    pub(super) fn clear(transaction: &WriteTransaction) -> Result<(), TableError> {
        transaction.delete_table(BY_USE)?;
        transaction.delete_table(OF_KEY)?;
        Ok(())
    }

    /// Makes `key` the one used last.
    pub(super) fn used(&mut self, key: &str) -> Result<(), redb::Error> {
        let before = self.of_key.insert(key, self.next)?.map(|number| number.value());
        if let Some(before) = before {
            self.by_use.remove(before)?;
        }
        self.by_use.insert(self.next, key)?;
        self.next += 1;
        Ok(())
    }

    /// Makes `key` the one used last, if it is there.
    pub(super) fn used_again(&mut self, key: &str) -> Result<(), redb::Error> {
        if self.of_key.get(key)?.is_some() { self.used(key) } else { Ok(()) }
    }

    /// Forgets `key`, which is gone.
    pub(super) fn forget(&mut self, key: &str) -> Result<(), redb::Error> {
        let number = self.of_key.remove(key)?.map(|number| number.value());
        if let Some(number) = number {
            self.by_use.remove(number)?;
        }
        Ok(())
    }

    /// Forgets the entry that has not been used for longest and returns its key.
    pub(super) fn pop_oldest(&mut self) -> Result<Option<String>, redb::Error> {
        let oldest = self.by_use.pop_first()?.map(|(_, key)| key.value().to_owned());
        if let Some(key) = &oldest {
            self.of_key.remove(key.as_str())?;
        }
        Ok(oldest)
    }
}
