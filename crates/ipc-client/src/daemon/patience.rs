//! How long a daemon may be silent.

use std::time::Duration;

/// How long a daemon may be silent before it is taken for one that never answers, where nothing else is said.
///
/// As long as released programs wait. What is left of the five seconds in which it is to be replaced is for a
/// busy machine, which may take two for a start.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// No less is silence: a busy machine is slow.
const LEAST: Duration = Duration::from_secs(1);

/// Returns how long a daemon may be silent for somebody who waits `limit` in all: what was asked for, or what
/// leaves as much again to end it and start another one.
///
/// A `limit` below two seconds is too short to call anybody silent: what is returned then is more than it.
pub(crate) fn within(limit: Duration, patience: Duration) -> Duration {
    if limit < 2 * LEAST { 2 * limit } else { patience.min(limit / 2) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_time_is_left_to_do_something_about_silence() {
        #[track_caller]
        fn check(limit: u64, patience: u64, expected: u64) {
            let millis = Duration::from_millis;
            assert_eq!(within(millis(limit), millis(patience)), millis(expected));
        }
        check(10_000, 3000, 3000);
        check(4000, 3000, 2000);
        check(2000, 3000, 1000);
        check(1000, 3000, 2000);
        check(200, 3000, 400);
        check(10_000, 500, 500);
        check(10_000, 60_000, 5000);
    }
}
