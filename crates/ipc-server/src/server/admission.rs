//! Whether there is a place for a connection.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::shared::Shared;

/// How long the connection that has been idle longest may take to leave its place.
const MAKE_PLACE: Duration = Duration::from_millis(250);

/// Whether a connection has a place.
pub(super) enum Admission {
    /// It has one.
    Served(OwnedSemaphorePermit),
    /// There was none left when it came.
    AtTheDoor(OwnedSemaphorePermit),
}

/// Waits for the place of the connection that has been idle longest, if there is one.
pub(super) async fn place_of_another<S>(shared: &Arc<Shared<S>>) -> Option<OwnedSemaphorePermit> {
    if !shared.idle.evict() {
        return None;
    }
    let place = Arc::clone(&shared.places).acquire_owned();
    timeout(MAKE_PLACE, place).await.ok().and_then(Result::ok)
}
