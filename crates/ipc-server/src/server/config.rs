//! The bounds of a server.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use wire_dispatch::Wires;

use crate::Extension;

/// The bounds of a server. The defaults suit one machine's builds.
///
/// Rule: `docs/spec/wire.md#limits`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServerConfig {
    /// The release that the server announces in refusals, `major.minor.patch`.
    pub release: String,
    /// The wires that are spoken. Default all.
    pub wires: Wires,
    /// Connections at one time. One more takes the place of the one that has been idle longest, and is
    /// answered with `Backpressure` where none is idle. Above 256 of these at once, the answer does not wait for
    /// the peer to send something.
    /// Default 2048.
    pub max_connections: usize,
    /// Requests that are answered at one time. One more is answered with `Backpressure` at once, but for those
    /// that ask how the daemon is or stop it. Default 1024.
    pub max_in_flight: usize,
    /// How long a new connection may stay silent. Default 30 s.
    pub first_frame_timeout: Duration,
    /// How long a frame may take from its first byte to its last. Default 30 s.
    pub frame_timeout: Duration,
    /// How long a peer may take to read its reply. Default 60 s.
    pub reply_timeout: Duration,
    /// Bytes that peers may make the server hold at one time, over all connections: frames, decoded requests
    /// until they are answered, and replies until they are read. Up to 8 KiB of each are not counted. Default
    /// 256 MiB. A frame that finds no room within `frame_timeout` is answered with `Backpressure`.
    pub memory_budget: usize,
    /// Stop when nothing was asked for this long; `None` is never. Default never.
    pub idle_timeout: Option<Duration>,
    /// What a peer is told to wait when the server is over a bound. Default 100 ms.
    pub retry_after: Duration,
    /// Who answers frames of another protocol of running-process; without it they are refused. Default
    /// nobody.
    pub extension: Option<Arc<dyn Extension>>,
    /// How the server ends.
    pub drain: DrainPolicy,
}

/// How a server ends.
#[derive(Clone)]
#[non_exhaustive]
pub struct DrainPolicy {
    /// How long requests that are being answered may still take. Default 10 s.
    pub limit: Duration,
    /// Called on a thread of its own when the drain has not ended one second after its limit, because
    /// the runtime is stuck. A daemon ends its process here. Default: nothing.
    pub on_overrun: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl ServerConfig {
    /// The defaults, for a server that announces itself as `release`.
    pub fn new(release: impl Into<String>) -> Self {
        Self {
            release: release.into(),
            wires: Wires::ALL,
            max_connections: 2048,
            max_in_flight: 1024,
            first_frame_timeout: Duration::from_secs(30),
            frame_timeout: Duration::from_secs(30),
            reply_timeout: Duration::from_secs(60),
            memory_budget: 256 * 1024 * 1024,
            idle_timeout: None,
            retry_after: Duration::from_millis(100),
            extension: None,
            drain: DrainPolicy::default(),
        }
    }
}

impl Default for DrainPolicy {
    fn default() -> Self {
        Self { limit: Duration::from_secs(10), on_overrun: None }
    }
}

impl DrainPolicy {
    /// Lets requests take up to `limit`, and calls `on_overrun` when that does not end the server.
    pub fn new(limit: Duration, on_overrun: impl Fn() + Send + Sync + 'static) -> Self {
        Self { limit, on_overrun: Some(Arc::new(on_overrun)) }
    }
}

impl fmt::Debug for DrainPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DrainPolicy").field("limit", &self.limit).finish_non_exhaustive()
    }
}
