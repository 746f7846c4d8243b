//! Copies the entries to a new file, which gives the unused space of the old file back.
//!
//! The database can also move pages within its file, but not be interrupted then, nor read meanwhile, and after a
//! kill it reads every page before the first answer.

use redb::{
    Key, ReadTransaction, ReadableDatabase as _, ReadableTable as _, TableDefinition, TableError, Value,
};

use super::ages::AGES;
use super::database::StoreFile;
use super::recency::{BY_USE, OF_KEY};
use super::tables::{ARTIFACTS, RUST, SUMS};

/// Bytes of one commit.
const STEP: usize = 4 << 20;

impl StoreFile {
    /// Copies every row to `new`, which is empty; returns false if `ends` returned true between two commits.
    pub(super) fn copy_to(&self, new: &Self, ends: &dyn Fn() -> bool) -> Result<bool, redb::Error> {
        let from = self.database.begin_read()?;
        Ok(copy(&from, new, ARTIFACTS, ends)?
            && copy(&from, new, RUST, ends)?
            && copy(&from, new, BY_USE, ends)?
            && copy(&from, new, OF_KEY, ends)?
            && copy(&from, new, AGES, ends)?
            && copy(&from, new, SUMS, ends)?)
    }
}

fn copy<K: Key + 'static, V: Value + 'static>(
    from: &ReadTransaction,
    new: &StoreFile,
    definition: TableDefinition<'_, K, V>,
    ends: &dyn Fn() -> bool,
) -> Result<bool, redb::Error> {
    let table = match from.open_table(definition) {
        // A file of an earlier daemon has fewer tables.
        Err(TableError::TableDoesNotExist(_)) => return Ok(true),
        table => table?,
    };
    let mut rows = table.iter()?.peekable();
    while rows.peek().is_some() {
        if ends() {
            return Ok(false);
        }
        let transaction = new.begin()?;
        let mut bytes = 0;
        {
            let mut copied = transaction.open_table(definition)?;
            while let Some(row) = rows.next_if(|_| bytes < STEP) {
                let (key, value) = row?;
                bytes += K::as_bytes(&key.value()).as_ref().len();
                bytes += V::as_bytes(&value.value()).as_ref().len();
                copied.insert(key.value(), value.value())?;
            }
        }
        transaction.commit()?;
    }
    Ok(true)
}
