//! Values that all connections of a download server share.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Semaphore;

use crate::ServerConfig;
use crate::server::Counters;

/// Values that all connections of one server share.
pub(super) struct Shared<D> {
    pub(super) downloads: D,
    pub(super) config: ServerConfig,
    pub(super) endpoint: String,
    pub(super) began: Instant,
    pub(super) counters: Arc<Counters>,
    /// One permit for each served connection.
    pub(super) places: Arc<Semaphore>,
    /// One permit for each connection that receives a refusal.
    pub(super) refused: Arc<Semaphore>,
}
