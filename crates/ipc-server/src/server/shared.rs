//! Values that all connections of a server share.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ipc_model::{Backpressure, Response};
use tokio::sync::Semaphore;
use wire_dispatch::ServerMachine;

use super::ServerConfig;
use super::figures::Counters;
use super::idle::Places;
use super::in_flight::InFlight;
use super::permits::permits;
use super::reply_memory::Pool;
use crate::ConnectionId;

/// Maximum number of large frames that are decoded at one time.
///
/// Decoding needs the size of the frame again.
const MAX_DECODERS: usize = 4;

/// Reason of an overload: the replies that clients have not taken fill the budget.
pub(super) const LARGE_REPLIES: &str = "too many large replies";

/// Upper bound of [`max_queued`].
const MAX_QUEUED: usize = 256;

pub(super) struct Shared<S> {
    pub(super) service: S,
    pub(super) config: ServerConfig,
    pub(super) machine: Arc<ServerMachine>,
    pub(super) counters: Arc<Counters>,
    /// One permit for each served connection.
    pub(super) places: Arc<Semaphore>,
    pub(super) idle: Places,
    /// One permit for each connection that waits for a place or receives a refusal.
    pub(super) queued: Arc<Semaphore>,
    pub(super) memory: Arc<Semaphore>,
    /// `memory`, for services that reserve some for their replies.
    pub(super) replies: Arc<Pool>,
    /// Part of the memory budget for replies that wait for room.
    pub(super) waiting_replies: Semaphore,
    /// Number of permits of `memory`.
    pub(super) budget: u32,
    /// One permit for each large frame that is being decoded.
    pub(super) decoders: Semaphore,
    /// One permit for each frame of medium size that is being decoded on the runtime's threads.
    pub(super) turns: Semaphore,
    /// One slot for each request in flight.
    pub(super) in_flight: InFlight,
    next_connection: AtomicU64,
}

/// Returns the maximum number of connections that wait for a place or receive a refusal.
///
/// The number is lower for a server that may open few file descriptors.
fn max_queued(max_connections: usize) -> usize {
    (max_connections / 8).clamp(16, MAX_QUEUED)
}

impl<S> Shared<S> {
    pub(super) fn new(service: S, config: ServerConfig) -> Self {
        // The budget must hold one frame of the largest size.
        let largest = wire_frame::MAX_LENGTH as usize + wire_frame::HEADER_LEN;
        let whole = config.memory_budget.max(largest);
        let waiting = (whole / 4).min(whole - largest);
        let budget = permits(whole - waiting);
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let counters = Arc::new(Counters::new());
        let memory = Arc::new(Semaphore::new(budget as usize));
        let replies = Pool {
            budget: Arc::clone(&memory),
            counters: Arc::clone(&counters),
            most: budget,
            limit: config.frame_timeout,
            // A service that waits for memory does not know the number of connections.
            refusal: overload(config.max_connections, &config, LARGE_REPLIES),
        };
        Self {
            service,
            idle: Places::new(counters.began()),
            machine: Arc::new(ServerMachine::new(config.release.clone(), config.wires)),
            counters,
            places: Arc::new(Semaphore::new(config.max_connections)),
            queued: Arc::new(Semaphore::new(max_queued(config.max_connections))),
            memory,
            replies: Arc::new(replies),
            waiting_replies: Semaphore::new(permits(waiting) as usize),
            budget,
            decoders: Semaphore::new((cores / 2).clamp(1, MAX_DECODERS)),
            turns: Semaphore::new((cores / 2).clamp(1, MAX_DECODERS)),
            in_flight: InFlight::new(config.max_in_flight),
            config,
            next_connection: AtomicU64::new(0),
        }
    }

    pub(super) fn next_connection(&self) -> ConnectionId {
        ConnectionId(self.next_connection.fetch_add(1, Ordering::Relaxed))
    }

    /// Returns the reply to a peer that exceeds a limit.
    ///
    /// Rule: `docs/spec/messages.md#backpressure`.
    pub(super) fn backpressure(&self, reason: &str) -> Response {
        let open = self.config.max_connections - self.places.available_permits();
        Response::Backpressure(overload(open, &self.config, reason))
    }
}

fn overload(open: usize, config: &ServerConfig, reason: &str) -> Backpressure {
    Backpressure {
        queue_depth: u32::try_from(open).unwrap_or(u32::MAX),
        retry_after_ms: u32::try_from(config.retry_after.as_millis()).unwrap_or(u32::MAX),
        reason: reason.to_owned(),
    }
}
