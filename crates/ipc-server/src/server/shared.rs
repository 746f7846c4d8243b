//! What every connection of a server uses.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ipc_model::{Backpressure, Response};
use tokio::sync::Semaphore;
use wire_dispatch::ServerMachine;

use super::ServerConfig;
use super::figures::Counters;
use super::idle::Places;
use super::turns::Turns;
use crate::ConnectionId;

/// Frames up to this size do not count against the memory budget; the connection bound covers them.
pub(super) const FREE_FRAME: usize = 64 * 1024;

/// What one permit of the memory budget stands for, in bytes.
const PERMIT: usize = 1024;

/// Connections that wait for a place, or are being turned away, at one time.
const AT_THE_DOOR: usize = 256;

pub(super) struct Shared<S> {
    pub(super) service: S,
    pub(super) config: ServerConfig,
    pub(super) machine: ServerMachine,
    pub(super) counters: Arc<Counters>,
    /// One permit for each connection that is served.
    pub(super) places: Arc<Semaphore>,
    pub(super) idle: Places,
    /// One permit for each connection that waits for a place or is being turned away.
    pub(super) doormen: Arc<Semaphore>,
    pub(super) memory: Semaphore,
    /// One turn for each request that is being answered.
    pub(super) turns: Turns,
    next_connection: AtomicU64,
}

impl<S> Shared<S> {
    pub(super) fn new(service: S, config: ServerConfig) -> Self {
        // A frame of the largest size must fit, or it could never be served.
        let largest = wire_frame::MAX_LENGTH as usize + wire_frame::HEADER_LEN;
        let memory = Semaphore::new(permits(config.memory_budget.max(largest)) as usize);
        let counters = Arc::new(Counters::new());
        Self {
            service,
            idle: Places::new(counters.began()),
            machine: ServerMachine::new(config.release.clone(), config.wires),
            counters,
            places: Arc::new(Semaphore::new(config.max_connections)),
            doormen: Arc::new(Semaphore::new(AT_THE_DOOR)),
            memory,
            turns: Turns::new(config.max_in_flight),
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
        Response::Backpressure(Backpressure {
            queue_depth: u32::try_from(open).unwrap_or(u32::MAX),
            retry_after_ms: u32::try_from(self.config.retry_after.as_millis()).unwrap_or(u32::MAX),
            reason: reason.to_owned(),
        })
    }
}

/// The permits that `bytes` of memory take; 0 for a frame that is free.
pub(super) fn permits_for(bytes: usize) -> u32 {
    if bytes <= FREE_FRAME { 0 } else { permits(bytes) }
}

fn permits(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(PERMIT)).unwrap_or(u32::MAX).min(1 << 28)
}
