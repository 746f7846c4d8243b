//! Retries and their backoff, without a clock.

use std::time::Duration;

/// Maximum number of consecutive failed attempts without progress.
const FRUITLESS: u32 = 4;

/// Bytes of progress that reset the count of failures.
const PROGRESS: u64 = 1024 * 1024;

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Failure count of one segment.
#[derive(Debug, Default)]
pub(crate) struct Retries {
    fruitless: u32,
    /// Complete bytes at the last failure with progress.
    best: u64,
}

impl Retries {
    /// Returns the pause before the next attempt after a failure with `done` complete bytes.
    ///
    /// `None` after too many failures. A server that sends little in each response is retried to the end: the
    /// length of the file limits the number of attempts.
    pub(crate) fn after(&mut self, done: u64) -> Option<Duration> {
        if done >= self.best.saturating_add(PROGRESS) {
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
    fn attempts_without_progress_are_bounded_and_back_off() {
        let mut retries = Retries::default();
        let pauses: Vec<_> = std::iter::from_fn(|| retries.after(1000)).collect();
        assert_eq!(pauses.len(), 4);
        assert!(pauses.is_sorted() && pauses[3] <= LONGEST_PAUSE, "{pauses:?}");
    }

    #[test]
    fn progress_resets_the_count_and_repeated_bytes_do_not() {
        let mut retries = Retries::default();
        for _ in 0..4 {
            retries.after(PROGRESS * 2);
        }
        assert_eq!(retries.after(PROGRESS * 2), None);
        assert_eq!(retries.after(PROGRESS * 3), Some(FIRST_PAUSE));
        // A server without ranges sends the first bytes again at each attempt.
        for _ in 0..3 {
            assert!(retries.after(PROGRESS).is_some());
        }
        assert_eq!(retries.after(PROGRESS * 3), None);
    }
}
