//! Limits of a server.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use wire_dispatch::Wires;

use crate::Extension;

/// Limits of a server. The defaults suit the builds of one machine.
///
/// Rule: `docs/spec/wire.md#limits`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServerConfig {
    /// Release that the server names in refusals, `major.minor.patch`.
    pub release: String,
    /// Wires that the server speaks. Default: all.
    pub wires: Wires,
    /// Maximum number of open connections. Default: 2048.
    ///
    /// A further connection replaces the connection that has been idle longest. If no connection is idle, the
    /// server answers the new peer with `Backpressure` in the framing of its first request. If an eighth
    /// of this number (16 to 256) already waits for such an answer, the server does not wait for the request.
    pub max_connections: usize,
    /// Maximum number of requests in flight. Default: 1024.
    ///
    /// The server answers a further request with `Backpressure`, except for `Ping`, `Status` and `Shutdown`.
    pub max_in_flight: usize,
    /// Timeout for the first byte of a new connection. Default: 30 s.
    pub first_frame_timeout: Duration,
    /// Timeout of a frame from its first byte to its last. Default: 30 s.
    pub frame_timeout: Duration,
    /// Timeout for a peer to read its reply. Default: 60 s.
    pub reply_timeout: Duration,
    /// Maximum number of bytes held for peers, over all connections. Default: 256 MiB.
    ///
    /// The budget counts frames, decoded requests until they are answered, and replies until they are read.
    /// Each of them is free up to 8 KiB. A frame without room within `frame_timeout` is answered with
    /// `Backpressure`.
    pub memory_budget: usize,
    /// True if a call goes on when its client closes the connection. Default: false.
    ///
    /// The server then calls the service to its end, in the connection's task, before it notices that the client
    /// has left. Such a connection keeps its place among `max_connections` meanwhile.
    pub calls_outlive_clients: bool,
    /// Idle time after which the server stops; `None`, the default, is never.
    pub idle_timeout: Option<Duration>,
    /// Delay before a retry that `Backpressure` recommends. Default: 100 ms.
    pub retry_after: Duration,
    /// Answers frames of another protocol of running-process. Default: none.
    ///
    /// Without an extension the server refuses such frames.
    pub extension: Option<Arc<dyn Extension>>,
    /// Interval of `CompileProgress`; `None` is never. Default: 5 s.
    ///
    /// The server sends it only to clients that read it.
    pub progress_interval: Option<Duration>,
    /// Limits of the drain.
    pub drain: DrainPolicy,
}

/// Limits of the drain at the end of a server.
#[derive(Clone)]
#[non_exhaustive]
pub struct DrainPolicy {
    /// Time for requests in flight to finish. Default: 6 s.
    ///
    /// `stop_daemon` waits 10 s by default for the whole end: for the drain and for what comes after it.
    pub limit: Duration,
    /// Called if the drain still runs one second after its limit. Default: no call.
    ///
    /// The runtime is then stuck, so the call comes from a separate thread. A daemon exits here.
    pub on_overrun: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl ServerConfig {
    /// Returns the defaults for a server of this release.
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
            calls_outlive_clients: false,
            idle_timeout: None,
            retry_after: Duration::from_millis(100),
            extension: None,
            progress_interval: Some(Duration::from_secs(5)),
            drain: DrainPolicy::default(),
        }
    }
}

impl Default for DrainPolicy {
    fn default() -> Self {
        Self { limit: Duration::from_secs(6), on_overrun: None }
    }
}

impl DrainPolicy {
    /// Returns limits of a drain: `limit`, then `on_overrun` if the runtime is stuck.
    pub fn new(limit: Duration, on_overrun: impl Fn() + Send + Sync + 'static) -> Self {
        Self { limit, on_overrun: Some(Arc::new(on_overrun)) }
    }
}

impl fmt::Debug for DrainPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DrainPolicy").field("limit", &self.limit).finish_non_exhaustive()
    }
}
