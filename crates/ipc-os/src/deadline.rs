//! Deadlines that do not overflow a clock.

use std::time::{Duration, Instant};

/// One year: longer than any wait, and small enough for every clock.
pub const FAR: Duration = Duration::from_secs(86_400 * 365);

/// Returns the moment `limit` from now; saturates at one year.
#[must_use]
pub fn deadline_after(limit: Duration) -> Instant {
    Instant::now() + limit.min(FAR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_limit_is_a_year() {
        let now = Instant::now();
        assert!(deadline_after(Duration::MAX) >= now + FAR);
        assert!(deadline_after(Duration::ZERO) - now < Duration::from_secs(3600));
    }
}
