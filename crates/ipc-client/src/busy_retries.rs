//! Repeats a request to a daemon that is over one of its limits.

use std::time::{Duration, Instant};

use ipc_model::Response;
use ipc_os::deadline_after;

use crate::config::Limits;
use crate::{CallError, ClientConfig};

/// The longest pause that a daemon can ask for; a longer one is clamped.
const LONGEST: Duration = Duration::from_secs(10);

/// The shortest first pause, which doubles with each attempt, and the end of its growth.
const FIRST: Duration = Duration::from_millis(10);
const GROWN: Duration = Duration::from_millis(160);

/// The end of one call's repetitions.
///
/// After `Backpressure` any request may be sent again, because the daemon did not act on it. The time starts
/// at the first `Backpressure`: nearly no call gets one, and the others read no clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BusyRetries {
    limit: Duration,
    /// The end of the whole call.
    call: Option<Instant>,
    until: Option<Instant>,
    /// The shortest next pause.
    shortest: Duration,
}

impl BusyRetries {
    /// Returns the retries of a call within `limits`.
    pub(crate) const fn of(config: &ClientConfig, limits: &Limits) -> Self {
        Self { limit: config.busy_timeout, call: limits.until(), until: None, shortest: FIRST }
    }

    /// Returns the pause before the next attempt; `None` if `response` is the final answer.
    ///
    /// The pause is the daemon's own, but at least the shortest one of this attempt, plus up to half of it, so
    /// that clients that were turned away together do not return together. A pause begins only if as much time
    /// is left after it.
    pub(crate) fn pause(&mut self, response: &Response) -> Option<Duration> {
        let Response::Backpressure(pressure) = response else { return None };
        let until = *self.until.get_or_insert_with(|| {
            let until = deadline_after(self.limit);
            self.call.map_or(until, |call| call.min(until))
        });
        let asked = Duration::from_millis(pressure.retry_after_ms.into()).clamp(self.shortest, LONGEST);
        self.shortest = (2 * self.shortest).min(GROWN);
        let pause = asked.mul_f64(1.0 + fastrand::f64() / 2.0);
        (Instant::now() + 2 * pause < until).then_some(pause)
    }
}

/// Returns true if a repeated attempt timed out before the daemon acted on the request.
///
/// The call then ends with the daemon's earlier `Backpressure`.
pub(crate) fn is_out_of_time(error: &CallError) -> bool {
    matches!(error, CallError::Ipc(error) if error.is_timeout())
}

#[cfg(test)]
mod tests {
    use ipc_model::Backpressure;

    use super::*;

    fn pressure(retry_after_ms: u32) -> Response {
        Response::Backpressure(Backpressure { retry_after_ms, ..Backpressure::default() })
    }

    fn retries(config: &ClientConfig) -> BusyRetries {
        BusyRetries::of(config, &Limits::begin(config))
    }

    #[test]
    fn the_pause_is_between_the_requested_time_and_half_more() {
        let mut retries = retries(&ClientConfig::new().busy_timeout(Duration::from_secs(60)));
        let mut check = |asked_ms, least_ms: u64, most_ms: u64| {
            let pauses: Vec<_> = (0..100).filter_map(|_| retries.pause(&pressure(asked_ms))).collect();
            assert_eq!(pauses.len(), 100);
            let (least, most) = (Duration::from_millis(least_ms), Duration::from_millis(most_ms));
            assert!(pauses.iter().all(|pause| (least..=most).contains(pause)), "{asked_ms}: {pauses:?}");
            assert!(pauses.windows(2).any(|two| two[0] != two[1]), "they do not come together");
        };
        check(200, 200, 300);
        check(u32::MAX, 10_000, 15_000);
    }

    #[test]
    fn a_daemon_that_asks_for_no_pause_is_asked_less_and_less_often() {
        let mut retries = retries(&ClientConfig::new().busy_timeout(Duration::from_secs(60)));
        for least in [10, 20, 40, 80, 160, 160] {
            let pause = retries.pause(&pressure(0)).expect("time is left").as_micros();
            assert!((least * 1000..=least * 1500).contains(&pause), "{least}: {pause}");
        }
    }

    #[test]
    fn a_pause_beyond_the_deadline_is_not_started_and_only_overload_is_retried() {
        let check = |config: ClientConfig, expected: bool| {
            let mut retries = retries(&config);
            assert_eq!(retries.pause(&pressure(1000)).is_some(), expected, "{config:?}");
            assert_eq!(retries.pause(&Response::Pong), None);
            assert_eq!(retries.pause(&Response::error("no")), None);
        };
        check(ClientConfig::new(), true);
        check(ClientConfig::new().busy_timeout(Duration::ZERO), false);
        check(ClientConfig::new().busy_timeout(Duration::from_millis(1900)), false);
        check(ClientConfig::within(Duration::from_millis(1900)), false);
        check(ClientConfig::within(Duration::from_secs(3600)), true);
    }
}
