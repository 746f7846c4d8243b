//! Why a compiler runs without the cache.

use thiserror::Error;
use zccache_ipc::daemon::StartError;
use zccache_ipc::endpoint::ConnectError;
use zccache_ipc::{CallError, IpcError};

use crate::failure::Failure;

/// Why a compiler runs without the cache.
#[derive(Debug, Error)]
pub(super) enum Reason {
    #[error("{0} is not UTF-8, and no daemon can be told of it")]
    NotUtf8(&'static str),
    #[error("no daemon can be asked")]
    Daemon(#[from] Failure),
    #[error("the daemon cannot be reached")]
    Connect(#[source] IpcError),
    #[error("the daemon gave another call no answer in time")]
    Late,
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
    /// Returns true if a person has nothing to mend or has been told: no daemon was wanted, or it is late.
    ///
    /// A build without a usable home is one too, unless somebody named the place of the daemon: `configure` takes a
    /// line on standard error for a warning of the compiler.
    pub(super) fn is_ordinary(&self, is_place_named: bool) -> bool {
        match self {
            Self::Late => true,
            Self::Call(error) => error.is_no_daemon(),
            Self::Connect(IpcError::Connect(ConnectError::PermissionDenied { .. })) => !is_place_named,
            Self::Connect(error) => error.is_no_daemon(),
            Self::Daemon(Failure::Start(StartError::Directory(_) | StartError::Lock(_))) => !is_place_named,
            _ => false,
        }
    }
}
