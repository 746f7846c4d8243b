//! What every connection of a server uses.

use std::num::NonZero;
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

/// What is not counted against the memory budget; the limit of connections covers it. One read is as large.
pub(super) const FREE: usize = ipc_connection::inbound::CHUNK;

/// What one permit of the memory budget stands for, in bytes.
const PERMIT: usize = 1024;

/// Large frames that are decoded at one time, at most: each takes its size again while it is decoded.
const MOST_DECODERS: usize = 4;

/// Connections that wait for a place, or are being turned away, at one time.
const AT_THE_DOOR: usize = 256;

pub(super) struct Shared<S> {
    pub(super) service: S,
    pub(super) config: ServerConfig,
    pub(super) machine: Arc<ServerMachine>,
    pub(super) counters: Arc<Counters>,
    /// One permit for each connection that is served.
    pub(super) places: Arc<Semaphore>,
    pub(super) idle: Places,
    /// One permit for each connection that waits for a place or is being turned away.
    pub(super) doormen: Arc<Semaphore>,
    pub(super) memory: Semaphore,
    /// The part of the memory budget that is for replies that wait for room.
    pub(super) waiting: Semaphore,
    /// Every permit of `memory`.
    pub(super) budget: u32,
    /// One permit for each large frame that is being decoded.
    pub(super) decoders: Semaphore,
    /// One turn for each request that is being answered.
    pub(super) turns: Turns,
    next_connection: AtomicU64,
}

/// Returns how many connections above `most` are answered with `Backpressure` at once: fewer for a server that may
/// open few descriptors.
fn at_the_door(most: usize) -> usize {
    (most / 8).clamp(16, AT_THE_DOOR)
}

impl<S> Shared<S> {
    pub(super) fn new(service: S, config: ServerConfig) -> Self {
        // A frame of the largest size must fit, or it could never be served.
        let largest = wire_frame::MAX_LENGTH as usize + wire_frame::HEADER_LEN;
        let whole = config.memory_budget.max(largest);
        let waiting = (whole / 4).min(whole - largest);
        let budget = permits(whole - waiting);
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let counters = Arc::new(Counters::new());
        Self {
            service,
            idle: Places::new(counters.began()),
            machine: Arc::new(ServerMachine::new(config.release.clone(), config.wires)),
            counters,
            places: Arc::new(Semaphore::new(config.max_connections)),
            doormen: Arc::new(Semaphore::new(at_the_door(config.max_connections))),
            memory: Semaphore::new(budget as usize),
            waiting: Semaphore::new(permits(waiting) as usize),
            budget,
            decoders: Semaphore::new((cores / 2).clamp(1, MOST_DECODERS)),
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

/// Returns the permits that `bytes` of memory take; 0 for so few that they are free.
pub(super) fn permits_for(bytes: usize) -> u32 {
    if bytes <= FREE { 0 } else { permits(bytes) }
}

fn permits(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(PERMIT)).unwrap_or(u32::MAX).min(1 << 28)
}
