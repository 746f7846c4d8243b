//! Admission of connections within the limit of open connections.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::shared::Shared;

/// Timeout for an evicted connection to leave its place.
const EVICTION: Duration = Duration::from_millis(250);

/// Admission of a new connection.
pub(super) enum Admission {
    /// The connection has a place.
    Served(OwnedSemaphorePermit),
    /// No place was free; the connection waits for a place or a refusal.
    Waiting(OwnedSemaphorePermit),
}

/// Evicts the connection that has been idle longest and takes its place; `None` if no connection left.
pub(super) async fn evict_for_place<S>(shared: &Arc<Shared<S>>) -> Option<OwnedSemaphorePermit> {
    if !shared.idle.evict() {
        return None;
    }
    let place = Arc::clone(&shared.places).acquire_owned();
    timeout(EVICTION, place).await.ok().and_then(Result::ok)
}
