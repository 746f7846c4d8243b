//! The time for which a daemon may be silent.

use std::time::Duration;

/// The default time for which a daemon may be silent before it counts as dead.
///
/// Released programs wait equally long. The rest of the five seconds for a replacement is for the start,
/// which may take two seconds on a busy machine.
pub(crate) const SILENCE_LIMIT: Duration = Duration::from_secs(2);

/// The shortest time that counts as silence, because a busy machine is slow.
const LEAST: Duration = Duration::from_secs(1);

/// Returns the time for which a daemon may be silent if the caller waits `limit` in all.
///
/// At most half of `limit`, so that the other half is left to kill the daemon and start another. If `limit`
/// is below two seconds, no daemon counts as silent: the returned time exceeds `limit`.
pub(crate) fn within(limit: Duration, silence_limit: Duration) -> Duration {
    if limit < 2 * LEAST { 2 * limit } else { silence_limit.min(limit / 2) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_time_is_left_to_do_something_about_silence() {
        #[track_caller]
        fn check(limit: u64, silence_limit: u64, expected: u64) {
            let millis = Duration::from_millis;
            assert_eq!(within(millis(limit), millis(silence_limit)), millis(expected));
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
