//! Lookups: small entries at once, large ones within the server's memory budget.

use zccache_ipc::Caller;
use zccache_ipc::model::ArtifactData;

use super::job::Job;
use super::shared::{Look, TooLong};
use super::{LARGE, Store, StoreError, checked, tables};

impl Store {
    /// Returns the artifact that is stored under `key`.
    ///
    /// A damaged entry is not returned: it counts as missing, is logged, and is removed.
    ///
    /// # Errors
    ///
    /// [`StoreError::KeyTooLong`].
    ///
    /// # Cancel safety
    ///
    /// Looking changes nothing that can be seen.
    pub async fn lookup(&self, key: &str) -> Result<Option<ArtifactData>, StoreError> {
        self.lookup_for(key, None).await
    }

    /// Returns the artifact under `key` for the reply to `caller`.
    ///
    /// Reserves memory for a large entry in the server's budget before the entry is read. Otherwise as
    /// [`lookup`](Self::lookup).
    ///
    /// # Errors
    ///
    /// [`StoreError::KeyTooLong`], and [`StoreError::NoMemory`] if the budget has no room.
    ///
    /// # Cancel safety
    ///
    /// See [`lookup`](Self::lookup).
    pub async fn lookup_for(
        &self,
        key: &str,
        caller: Option<&Caller>,
    ) -> Result<Option<ArtifactData>, StoreError> {
        checked(key)?;
        // Most lookups are misses or small, from pages in memory: another thread would cost more than they do.
        let mut looked = self.shared.look_quickly(key, LARGE).unwrap_or(Err(TooLong(0)));
        let look = loop {
            let most = match looked {
                Ok(look) => break look,
                Err(TooLong(len)) => len,
            };
            if let Some(caller) = caller {
                // The database reads the whole page of an entry.
                let page = usize::try_from(tables::room(key, most)).unwrap_or(usize::MAX);
                caller.reserve_reply(page).await.map_err(StoreError::NoMemory)?;
            }
            // An entry that grew meanwhile needs another reservation.
            let most = if caller.is_some() { most } else { usize::MAX };
            looked = self.look_offloaded(key, most).await?;
        };
        match look {
            Look::Found(artifact) => {
                if self.shared.used.note(key) {
                    // When the queue is full, the next store notes it.
                    let _ = self.queue.try_send(Job::Used);
                }
                Ok(Some(artifact))
            }
            Look::Absent => Ok(None),
            Look::Damaged(why) => {
                tracing::warn!(key, %why, "a stored artifact is damaged and is removed");
                // When the queue is full, the next lookup of the key asks again.
                let _ = self.queue.try_send(Job::Recheck { key: key.to_owned() });
                Ok(None)
            }
            Look::Broken { error, generation } => {
                tracing::warn!(key, %error, "the store cannot be read");
                let _ = self.queue.try_send(Job::Repair { generation, error });
                Ok(None)
            }
        }
    }

    /// Looks for `key` outside of the runtime's threads, unless the entry has more than `most` bytes.
    async fn look_offloaded(&self, key: &str, most: usize) -> Result<Result<Look, TooLong>, StoreError> {
        let key = key.to_owned();
        self.reading(move |shared| shared.look(&key, most)).await
    }

    /// Returns the artifact under `key` without counting this as a use.
    ///
    /// # Errors
    ///
    /// [`StoreError::KeyTooLong`], and [`StoreError`] for a file that cannot be read. A damaged entry is `None`.
    ///
    /// # Cancel safety
    ///
    /// Looking changes nothing.
    pub async fn peek(&self, key: &str) -> Result<Option<ArtifactData>, StoreError> {
        checked(key)?;
        match self.look_offloaded(key, usize::MAX).await? {
            Ok(Look::Found(artifact)) => Ok(Some(artifact)),
            Ok(Look::Absent | Look::Damaged(_)) | Err(TooLong(_)) => Ok(None),
            Ok(Look::Broken { error, .. }) => Err(error),
        }
    }
}
