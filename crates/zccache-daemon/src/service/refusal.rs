//! Replies for requests that the daemon refuses.

use std::time::Duration;

use zccache_ipc::model::{Backpressure, Response};

use crate::chain::chain;
use crate::sessions::SessionError;
use crate::store::StoreError;

/// The delay after which a client tries again when the daemon is over a limit.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// Answers for a store that did not do it.
pub(super) fn by_store(error: &StoreError) -> Response {
    match error {
        StoreError::Busy { waiting } => backpressure(*waiting, error.to_string()),
        StoreError::Opening => backpressure(0, error.to_string()),
        StoreError::NoMemory(overload) => Response::Backpressure(overload.clone()),
        error => Response::error(chain(error)),
    }
}

/// Answers for a session that is not there, or that there is no room for.
pub(super) fn by_sessions(error: &SessionError) -> Response {
    match error {
        SessionError::Full { open } => backpressure(*open, error.to_string()),
        error => Response::error(chain(error)),
    }
}

/// Asks a client to come back: nothing was done.
pub(super) fn backpressure(depth: usize, reason: String) -> Response {
    Response::Backpressure(Backpressure {
        queue_depth: u32::try_from(depth).unwrap_or(u32::MAX),
        retry_after_ms: u32::try_from(RETRY_AFTER.as_millis()).expect("a tenth of a second is few of them"),
        reason,
    })
}
