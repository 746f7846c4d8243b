//! How a client behaves.

use std::time::{Duration, Instant};

use wire_dispatch::WirePolicy;

use ipc_connection::{DEFAULT_CLIENT_RECV_TIMEOUT, DEFAULT_CONNECT_TIMEOUT};
use ipc_os::deadline_after;

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
    /// For a whole call, whatever it takes: connecting, asking first, and asking again. Default none; the
    /// other limits hold for each step.
    pub call_timeout: Option<Duration>,
    /// For the broker lane, where one was asked for, before the daemon is dialled directly. Default 1 s, and
    /// never more than half of what is left for the connection.
    pub broker_budget: Duration,
    /// How long a call goes on asking a daemon that answers `Backpressure`, after the pauses that it asks for.
    /// Default 5 s; zero takes the first one for the answer.
    pub busy_timeout: Duration,
    /// Which wire to speak. Default [`WirePolicy::Auto`].
    pub wire: WirePolicy,
}

impl ClientConfig {
    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            reply_timeout: DEFAULT_CLIENT_RECV_TIMEOUT,
            send_timeout: Duration::from_secs(30),
            call_timeout: None,
            broker_budget: Duration::from_secs(1),
            busy_timeout: Duration::from_secs(5),
            wire: WirePolicy::Auto,
        }
    }

    /// Returns a configuration in which no call takes longer than `limit`.
    #[must_use]
    pub fn within(limit: Duration) -> Self {
        let defaults = Self::new();
        Self {
            connect_timeout: defaults.connect_timeout.min(limit),
            reply_timeout: limit,
            send_timeout: defaults.send_timeout.min(limit),
            call_timeout: Some(limit),
            broker_budget: defaults.broker_budget,
            busy_timeout: defaults.busy_timeout.min(limit),
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

    /// Sets how long the broker lane may take.
    #[must_use]
    pub const fn broker_budget(mut self, limit: Duration) -> Self {
        self.broker_budget = limit;
        self
    }

    /// Sets how long to go on asking a daemon that is over its limits.
    #[must_use]
    pub const fn busy_timeout(mut self, limit: Duration) -> Self {
        self.busy_timeout = limit;
        self
    }

    /// Sets how long to wait for a reply.
    #[must_use]
    pub const fn reply_timeout(mut self, limit: Duration) -> Self {
        self.reply_timeout = limit;
        self
    }
}

/// The limits of the steps of one call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    connect: Duration,
    send: Duration,
    later: Later,
}

/// The limits of what comes after sending.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Later {
    reply: Duration,
    until: Option<Instant>,
}

impl Limits {
    /// Begins a call now.
    pub(crate) fn begin(config: &ClientConfig) -> Self {
        let ClientConfig { connect_timeout: connect, send_timeout: send, reply_timeout: reply, .. } = *config;
        Self { connect, send, later: Later { reply, until: config.call_timeout.map(deadline_after) } }
    }

    /// Until when the whole call may take, where that is limited.
    pub(crate) const fn until(&self) -> Option<Instant> {
        self.later.until
    }

    /// Those of what comes after sending.
    pub(crate) const fn later(&self) -> Later {
        self.later
    }

    /// Until when a connection must be there.
    pub(crate) fn connect(&self) -> Instant {
        deadline_after(self.later.left(self.connect))
    }

    /// How long sending may take.
    pub(crate) fn send(&self) -> Duration {
        self.later.left(self.send)
    }

    /// As [`Later::reply`].
    pub(crate) fn reply(&self) -> Duration {
        self.later.reply()
    }

    /// As [`Later::last_words`].
    pub(crate) fn last_words(&self) -> Duration {
        self.later.last_words()
    }
}

impl Later {
    /// How long the reply may take.
    pub(crate) fn reply(&self) -> Duration {
        self.left(self.reply)
    }

    /// How long to look for a refusal that a daemon sent before it closed on us.
    pub(crate) fn last_words(&self) -> Duration {
        self.left(LAST_WORDS)
    }

    /// What a step may take of what the call has left.
    fn left(&self, step: Duration) -> Duration {
        self.until.map_or(step, |until| step.min(until.saturating_duration_since(Instant::now())))
    }
}

/// A refusal that was sent is there at once.
const LAST_WORDS: Duration = Duration::from_millis(250);

impl Default for ClientConfig {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_step_may_take_more_than_its_call_has_left() {
        let hour = Duration::from_secs(3600);
        let config = ClientConfig::new().reply_timeout(hour);
        let unlimited = Limits::begin(&config);
        assert_eq!((unlimited.reply(), unlimited.last_words()), (hour, LAST_WORDS));

        let later = Later { until: Some(Instant::now()), ..unlimited.later };
        let spent = Limits { later, ..unlimited };
        assert_eq!((spent.send(), spent.reply(), spent.last_words()), Default::default());
        assert!(spent.connect() <= Instant::now());

        let within = Limits::begin(&ClientConfig::within(hour));
        assert!(within.reply() <= hour && within.reply() > hour / 2);
        assert_eq!(within.last_words(), LAST_WORDS);
    }

    #[test]
    fn a_limit_beyond_all_time_is_none() {
        let never = Limits::begin(&ClientConfig::within(Duration::MAX).connect_timeout(Duration::MAX));
        let day = Duration::from_secs(86_400);
        assert!(never.reply() > day && never.connect() > Instant::now() + day);
    }
}
