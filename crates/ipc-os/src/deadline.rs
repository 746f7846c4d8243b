//! Deadlines that do not overflow a clock.

use std::time::{Duration, Instant};

/// One year: longer than any wait, and small enough for every clock.
pub const FAR: Duration = Duration::from_secs(86_400 * 365);

/// Returns the moment `limit` from now; saturates at one year.
#[must_use]
pub fn deadline_after(limit: Duration) -> Instant {
    Instant::now() + limit.min(FAR)
}

/// Returns `duration` rounded for a message.
///
/// Rounds to tenths of a second from one second on, below to hundredths, and below 100 ms to milliseconds. A
/// duration below a millisecond stays as it is.
#[must_use]
pub fn rounded(duration: Duration) -> Duration {
    let unit: u128 = match duration.as_millis() {
        0 => return duration,
        1..100 => 1_000_000,
        100..1_000 => 10_000_000,
        _ => 100_000_000,
    };
    let nanos = (duration.as_nanos() + unit / 2) / unit * unit;
    let secs = u64::try_from(nanos / 1_000_000_000).unwrap_or(u64::MAX);
    // A remainder of a second has less than 10^9 nanoseconds.
    Duration::new(secs, (nanos % 1_000_000_000) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_no_nanoseconds() {
        let check = |nanos: u64, expected: &str| {
            assert_eq!(format!("{:?}", rounded(Duration::from_nanos(nanos))), expected);
        };
        check(0, "0ns");
        check(899_918_659, "900ms");
        check(892_000_000, "890ms");
        check(99_400_000, "99ms");
        check(1_992_000_000, "2s");
        check(59_989_000_000, "60s");
        check(6_745_000_000, "6.7s");
        check(1_499_999, "1ms");
        check(999_600_000, "1s");
        check(1_004_999_999, "1s");
        check(2_345_678_901, "2.3s");
        check(61_000_000_000, "61s");
        assert_eq!(rounded(Duration::MAX).as_secs(), u64::MAX);
    }

    #[test]
    fn the_longest_limit_is_a_year() {
        let now = Instant::now();
        assert!(deadline_after(Duration::MAX) >= now + FAR);
        assert!(deadline_after(Duration::ZERO) - now < Duration::from_secs(3600));
    }
}
