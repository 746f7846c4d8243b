//! Whether and when to try once more, without a clock.

use std::time::Duration;

/// Attempts in a row that may fail without bringing anything.
const FRUITLESS: u32 = 4;

/// Progress that makes an attempt one that brought something.
const WORTH: u64 = 1024 * 1024;

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Counts the failures of one segment.
#[derive(Debug, Default)]
pub(crate) struct Retries {
    fruitless: u32,
    /// The most bytes that were there at a failure that counted as progress.
    best: u64,
}

impl Retries {
    /// Returns how long to wait before the next attempt after one that failed with `done` bytes there.
    ///
    /// `None` when enough have failed. A server that hands out little at a time is followed to the end: the
    /// length bounds the number of those attempts.
    pub(crate) fn after(&mut self, done: u64) -> Option<Duration> {
        if done >= self.best.saturating_add(WORTH) {
            self.best = done;
            self.fruitless = 0;
        }
        if self.fruitless == FRUITLESS {
            return None;
        }
        let pause = FIRST_PAUSE * 2_u32.pow(self.fruitless);
        self.fruitless += 1;
        Some(pause.min(LONGEST_PAUSE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_that_bring_nothing_are_bounded_and_wait_longer_each_time() {
        let mut retries = Retries::default();
        let pauses: Vec<_> = std::iter::from_fn(|| retries.after(1000)).collect();
        assert_eq!(pauses.len(), 4);
        assert!(pauses.is_sorted() && pauses[3] <= LONGEST_PAUSE, "{pauses:?}");
    }

    #[test]
    fn progress_earns_new_attempts_and_the_same_bytes_again_do_not() {
        let mut retries = Retries::default();
        for _ in 0..4 {
            retries.after(WORTH * 2);
        }
        assert_eq!(retries.after(WORTH * 2), None);
        assert_eq!(retries.after(WORTH * 3), Some(FIRST_PAUSE));
        // A server without ranges starts from the beginning again and again.
        for _ in 0..3 {
            assert!(retries.after(WORTH).is_some());
        }
        assert_eq!(retries.after(WORTH * 3), None);
    }
}
