//! Gives the unused space of the store's file back: a copy takes the place of the file.

use std::sync::Arc;

use zccache_ipc::endpoint::Platform;

use super::database::StoreFile;
use super::opening::remove_copy;
use super::shared::Shared;
use super::{OpenError, StoreError};

impl Shared {
    /// Gives unused space back to the file system, unless the store ends meanwhile.
    pub(super) fn give_back(&self) {
        if let Err(error) = self.replace_by_copy(CLOSES) {
            tracing::warn!(path = %self.path().display(), error = crate::chain(&error), "the store keeps its size");
        }
        remove_copy(self.path());
    }

    /// Gives the space of a store without entries back to the file system.
    pub(super) fn give_back_all(&self) -> Result<(), StoreError> {
        match self.replace_by_copy(CLOSES) {
            Ok(()) => {}
            Err(StoreError::Gone) => return Err(StoreError::Gone),
            // Even an empty copy needs room, which a full disk does not have.
            Err(error) => {
                tracing::warn!(error = crate::chain(&error), "the store cannot be copied, and is begun anew");
                self.begin_anew()?;
            }
        }
        remove_copy(self.path());
        Ok(())
    }

    /// Copies the entries to a new file, which takes the place of the old file, closed before if `closes`.
    pub(super) fn replace_by_copy(&self, closes: bool) -> Result<(), StoreError> {
        let failed = |error| StoreError::Reopen(Arc::new(error));
        let new = StoreFile::begin_copy(self.path(), COPY_CACHE).map_err(failed)?;
        let copied = self.with_file(|file| file.copy_to(&new, &|| self.ends()))?;
        drop(new); // closes it, so that it opens without a repair
        if !copied {
            return Ok(());
        }
        let new = StoreFile::open_copy(self.path(), self.cache).map_err(failed)?;
        if self.is_gone() {
            return Err(StoreError::Gone);
        }
        if closes {
            return self.replace_closed(new).map_err(failed);
        }
        new.take_place(self.path()).map_err(failed)?;
        let old = self.alone().replace(new);
        self.note_replaced();
        drop(old); // after the lock is free: it may be large
        Ok(())
    }

    /// Closes the file and puts `new` in its place; lookups wait meanwhile.
    ///
    /// If that fails, the old file is opened again.
    pub(super) fn replace_closed(&self, new: StoreFile) -> Result<(), OpenError> {
        let mut slot = self.alone();
        drop(slot.take());
        self.note_replaced();
        let taken = new.take_place(self.path());
        if taken.is_ok() {
            *slot = Some(new);
        } else {
            drop(new);
            // Without a file, the next store opens it.
            *slot = Some(StoreFile::open(self.path(), self.cache)?);
        }
        taken
    }
}

/// True where a file is closed before another one replaces it: some file systems of Windows replace no open file.
const CLOSES: bool = matches!(Platform::CURRENT, Platform::Windows);

/// Bytes of pages that are kept in memory of a file that is being written.
const COPY_CACHE: usize = 1 << 20;

#[cfg(test)]
impl Shared {
    pub(super) fn copied_while(&self, between: &dyn Fn() -> bool) -> bool {
        let new = StoreFile::begin_copy(self.path(), COPY_CACHE).unwrap();
        self.with_file(|file| file.copy_to(&new, between)).unwrap()
    }
}
