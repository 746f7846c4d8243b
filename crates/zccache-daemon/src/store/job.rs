//! The jobs of the writer.

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use zccache_ipc::model::{Cleared, StoreResult};

use super::StoreError;
use super::entry::Sealed;

/// One job of the writer's queue. A reply without a waiting caller is dropped.
#[derive(Debug)]
pub(super) enum Job {
    /// Store an entry.
    Put(Box<Put>),
    /// Record the entries that lookups found.
    Used,
    /// Remove this entry if it is damaged.
    Recheck { key: String },
    /// Remove the entry under this key.
    Remove { key: String, reply: oneshot::Sender<Result<bool, StoreError>> },
    /// Make the file usable again after `error`, unless that was done since `generation`.
    Repair { generation: u64, error: StoreError },
    /// Remove everything.
    Clear { reply: oneshot::Sender<Result<Cleared, StoreError>> },
    /// Close the file and end.
    Stop,
}

/// One entry to be stored.
#[derive(Debug)]
pub(super) struct Put {
    pub(super) key: String,
    /// The sealed artifact.
    pub(super) value: Sealed,
    /// The sealed description, if it is a Rust artifact.
    pub(super) rust: Option<Sealed>,
    /// True if a sound entry under the key gives way.
    pub(super) replaces: bool,
    pub(super) reply: oneshot::Sender<Result<StoreResult, StoreError>>,
    /// Gives its bytes back to the limit when the entry is written.
    pub(super) _room: OwnedSemaphorePermit,
}
