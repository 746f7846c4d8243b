//! Why the store could not be opened or used.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;
use zccache_ipc::endpoint::DirectoryError;
use zccache_ipc::model::Backpressure;
use zccache_ipc::wire_v15::EncodeError;

use super::MAX_KEY_LEN;

/// A store that was not opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has it open.
    #[error("another process uses the store {}", .0.display())]
    Locked(PathBuf),
    /// The file cannot be created, opened, read or moved.
    #[error("cannot open the store {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// Its directory cannot be made or is not safe to use.
    #[error(transparent)]
    Directory(DirectoryError),
    /// Anything else that the database says.
    #[error("cannot open the store {}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// The error of the database.
        source: redb::Error,
    },
}

/// A request that the store did not do.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The caller's key is too long.
    #[error("the cache key has {len} bytes, and {MAX_KEY_LEN} are the most")]
    KeyTooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// The caller's artifact cannot be encoded.
    #[error("the artifact cannot be stored")]
    Encode(#[source] Arc<EncodeError>),
    /// The caller's artifact is larger than everything together may be.
    #[error("the artifact takes {len} bytes, and the store may have {most}")]
    TooLarge {
        /// The size of the entry.
        len: u64,
        /// The size limit of the store.
        most: u64,
    },
    /// There are more Rust artifacts than fit a reply.
    #[error("the Rust artifacts are too many for one list")]
    ListTooLong,
    /// Too much waits to be written; nothing was done.
    #[error("{waiting} stores wait to be written")]
    Busy {
        /// The number of waiting jobs.
        waiting: usize,
    },
    /// The memory budget has no room for the entry; it was not read.
    #[error("there is no memory for the entry: {}", .0.reason)]
    NoMemory(Backpressure),
    /// The file could not be read or written.
    #[error("the store cannot be used: {0}")]
    Database(#[source] Arc<redb::Error>),
    /// The file is being opened, which takes long after a kill.
    #[error("the store is being opened")]
    Opening,
    /// The file could not be opened again after a failure.
    #[error("the store cannot be opened again")]
    Reopen(#[source] Arc<OpenError>),
    /// The file was removed or replaced while it was open: the next daemon would find nothing in it.
    #[error("the store's file is not at its path any more")]
    Gone,
    /// The database failed an assertion of its own.
    #[error("the store failed an assertion")]
    Panicked,
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
}

/// Returns true if the error means that the disk is full.
pub(crate) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

impl OpenError {
    /// Returns true if the disk is full.
    pub(super) fn is_full(&self) -> bool {
        match self {
            Self::Io { source, .. } | Self::Directory(DirectoryError::Io { source, .. }) => is_full(source),
            _ => false,
        }
    }
}

impl StoreError {
    /// Returns true if the file cannot be used because the disk is full.
    pub(super) fn is_full(&self) -> bool {
        match self {
            Self::Database(error) => matches!(&**error, redb::Error::Io(error) if is_full(error)),
            Self::Reopen(error) => error.is_full(),
            _ => false,
        }
    }

    /// Returns true if the same request can succeed a little later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::NoMemory(_) | Self::Opening)
    }
}
