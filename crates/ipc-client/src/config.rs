//! The timeouts and the wire of a client.

use std::fmt;
use std::time::{Duration, Instant};

use ipc_model::{CompileProgress, RequestKind};
use wire_dispatch::WirePolicy;

use ipc_connection::{DEFAULT_CLIENT_RECV_TIMEOUT, DEFAULT_CONNECT_TIMEOUT};
use ipc_os::deadline_after;

/// The timeouts of a client, and the wire that it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientConfig {
    /// The timeout for a connection, including retries on a busy daemon. Default 5 s.
    pub connect_timeout: Duration,
    /// The timeout for a reply after the request was sent.
    ///
    /// Default [`DEFAULT_CLIENT_RECV_TIMEOUT`].
    pub reply_timeout: Duration,
    /// The timeout until the daemon's socket takes a request. Default 30 s.
    pub send_timeout: Duration,
    /// The timeout for a whole call: connecting, asking first, and repeating.
    ///
    /// Default `None`; the other timeouts apply to each step in any case.
    pub call_timeout: Option<Duration>,
    /// The timeout of the broker lane, if the caller uses one. Default 1 s.
    ///
    /// After it the client connects to the daemon directly. It is never more than half of the time that is
    /// left for the connection.
    pub broker_budget: Duration,
    /// The time for which a call repeats its request after `Backpressure`.
    ///
    /// The client pauses as the daemon asks. Default 5 s; zero returns the first `Backpressure` as the
    /// answer.
    pub busy_timeout: Duration,
    /// The wire to speak. Default [`WirePolicy::Auto`].
    pub wire: WirePolicy,
    /// Receives each `CompileProgress` while a call waits. Default `None`.
    pub on_progress: Option<OnProgress>,
}

/// A function that shows the progress of a compilation to a person who waits.
#[derive(Clone, Copy)]
pub struct OnProgress(fn(&CompileProgress));

impl fmt::Debug for OnProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnProgress")
    }
}

impl PartialEq for OnProgress {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::fn_addr_eq(self.0, other.0)
    }
}

impl Eq for OnProgress {}

impl ClientConfig {
    /// Returns the defaults.
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
            on_progress: None,
        }
    }

    /// Returns a configuration with a call timeout of `limit`.
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
            on_progress: None,
        }
    }

    /// Sets the wire to speak.
    #[must_use]
    pub const fn wire(mut self, policy: WirePolicy) -> Self {
        self.wire = policy;
        self
    }

    /// Sets the function that receives each `CompileProgress`.
    ///
    /// A daemon of 1.13.1 or later sends one every few seconds while it compiles. The async client calls the
    /// function within a task, so the function must not block.
    #[must_use]
    pub const fn on_progress(mut self, show: fn(&CompileProgress)) -> Self {
        self.on_progress = Some(OnProgress(show));
        self
    }

    /// Sets the timeout for a connection.
    #[must_use]
    pub const fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// Sets the timeout of the broker lane.
    #[must_use]
    pub const fn broker_budget(mut self, limit: Duration) -> Self {
        self.broker_budget = limit;
        self
    }

    /// Sets the time for which a call repeats its request after `Backpressure`.
    #[must_use]
    pub const fn busy_timeout(mut self, limit: Duration) -> Self {
        self.busy_timeout = limit;
        self
    }

    /// Sets the timeout for a reply.
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

/// The limits that apply after the request was sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Later {
    reply: Duration,
    until: Option<Instant>,
    on_progress: Option<OnProgress>,
    /// True if the request is one that progress may precede.
    compiles: bool,
}

impl Limits {
    /// Begins a call now.
    pub(crate) fn begin(config: &ClientConfig) -> Self {
        let ClientConfig { connect_timeout: connect, send_timeout: send, reply_timeout: reply, .. } = *config;
        let (until, on_progress) = (config.call_timeout.map(deadline_after), config.on_progress);
        Self { connect, send, later: Later { reply, until, on_progress, compiles: false } }
    }

    /// Returns the end of the whole call, if the call has a timeout.
    pub(crate) const fn until(&self) -> Option<Instant> {
        self.later.until
    }

    /// Returns the limits that apply after the request was sent.
    pub(crate) const fn later(&self, asked: RequestKind) -> Later {
        // Clients of 1.13.x read progress before the result of a link, too.
        let compiles = asked.may_report_progress() || matches!(asked, RequestKind::LinkEphemeral);
        Later { compiles, ..self.later }
    }

    /// Returns the end of the connection timeout.
    pub(crate) fn connect(&self) -> Instant {
        deadline_after(self.later.left(self.connect))
    }

    /// Returns the timeout for sending.
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
    /// Returns the timeout for the reply.
    pub(crate) fn reply(&self) -> Duration {
        self.left(self.reply)
    }

    /// Returns the timeout after a `CompileProgress`; `None` if the message leaves the deadline where it is.
    ///
    /// Rule: `docs/spec/messages.md#compileprogress`.
    pub(crate) fn after_progress(&self) -> Option<Duration> {
        self.compiles.then(|| self.reply())
    }

    /// Passes progress to the caller's function.
    pub(crate) fn tell(&self, progress: &CompileProgress) {
        if let Some(OnProgress(show)) = self.on_progress {
            show(progress);
        }
    }

    /// Returns the timeout for a refusal that a daemon sent before it closed the connection.
    pub(crate) fn last_words(&self) -> Duration {
        self.left(LAST_WORDS)
    }

    /// Returns the smaller of `step` and the time that the call has left.
    fn left(&self, step: Duration) -> Duration {
        self.until.map_or(step, |until| step.min(until.saturating_duration_since(Instant::now())))
    }
}

/// A refusal that the daemon sent arrives at once.
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
    fn the_longest_timeout_does_not_overflow() {
        let never = Limits::begin(&ClientConfig::within(Duration::MAX).connect_timeout(Duration::MAX));
        let day = Duration::from_secs(86_400);
        assert!(never.reply() > day && never.connect() > Instant::now() + day);
    }
}
