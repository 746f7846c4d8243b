//! How a client behaves.

use std::time::Duration;

use wire_dispatch::WirePolicy;

use crate::DEFAULT_CLIENT_RECV_TIMEOUT;

/// How long a client waits, and what it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientConfig {
    /// For a connection, retries on a busy daemon included. Default 5 s.
    pub connect_timeout: Duration,
    /// For the reply to a call, once it has been sent. Default [`DEFAULT_CLIENT_RECV_TIMEOUT`].
    pub reply_timeout: Duration,
    /// For a request to be taken by the daemon's socket. Default 30 s.
    pub send_timeout: Duration,
    /// Which wire to speak. Default [`WirePolicy::Auto`].
    pub wire: WirePolicy,
}

impl ClientConfig {
    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            reply_timeout: DEFAULT_CLIENT_RECV_TIMEOUT,
            send_timeout: Duration::from_secs(30),
            wire: WirePolicy::Auto,
        }
    }

    /// Returns a configuration in which no step takes longer than `limit`.
    #[must_use]
    pub fn within(limit: Duration) -> Self {
        let defaults = Self::new();
        Self {
            connect_timeout: defaults.connect_timeout.min(limit),
            reply_timeout: limit,
            send_timeout: defaults.send_timeout.min(limit),
            wire: defaults.wire,
        }
    }

    /// Sets which wire to speak.
    #[must_use]
    pub const fn wire(mut self, policy: WirePolicy) -> Self {
        self.wire = policy;
        self
    }

    /// Sets how long to wait for a connection.
    #[must_use]
    pub const fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// Sets how long to wait for a reply.
    #[must_use]
    pub const fn reply_timeout(mut self, limit: Duration) -> Self {
        self.reply_timeout = limit;
        self
    }
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self::new()
    }
}
