//! Why a compiler runs here and not in the daemon.

use std::io;

use thiserror::Error;
use zccache_ipc::CallError;

use crate::failure::Failure;

/// Why a compiler runs here.
#[derive(Debug, Error)]
pub(super) enum Reason {
    #[error("this program's surroundings cannot be read")]
    Surroundings(#[source] io::Error),
    #[error("{0} is not UTF-8, and no daemon can be told of it")]
    NotUtf8(&'static str),
    #[error("its standard input may never end")]
    Unbounded,
    #[error("its standard input is longer than a message")]
    LongInput,
    #[error("its standard input cannot be read")]
    Input(#[source] io::Error),
    #[error("no daemon can be asked")]
    Daemon(#[from] Failure),
    #[error("the daemon gave no result")]
    Call(#[from] CallError),
    #[error("the daemon refused: {0}")]
    Refused(String),
    #[error("the daemon is busy: {0}")]
    Busy(String),
    #[error("the daemon answered with {0}")]
    Unexpected(&'static str),
}

impl Reason {
    /// Whether the user has nothing to look after: nothing is wrong with anybody.
    pub(super) const fn is_ordinary(&self) -> bool {
        matches!(self, Self::Unbounded)
    }
}
