//! Waiting for a condition: the only place in the tests that sleeps.

use std::thread;
use std::time::{Duration, Instant};

const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// Waits until `condition` holds, and asks at least once.
///
/// Blocks the thread: in async code, wait for the event itself or call this from a blocking task.
///
/// # Panics
///
/// If `condition` does not hold within `deadline`. The message has `what` followed by "… within 5s", as in
/// `"the socket appears"`.
#[track_caller]
pub fn eventually(deadline: Duration, what: &str, condition: impl FnMut() -> bool) {
    assert!(holds_within(deadline, condition), "not seen: {what} within {deadline:?}");
}

/// Returns true if `condition` holds at some time within `deadline`.
#[must_use]
pub fn holds_within(deadline: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        if condition() {
            return true;
        }
        let left = deadline.saturating_sub(start.elapsed());
        if left.is_zero() {
            return false;
        }
        thread::sleep(pause.min(left)); // between two looks at a condition that nothing announces
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_that_comes_true_is_seen() {
        let mut looks = 0;
        eventually(Duration::from_secs(30), "the third look", || {
            looks += 1;
            looks == 3
        });
        assert_eq!(looks, 3);
    }

    #[test]
    fn a_condition_is_looked_at_once_even_without_time() {
        eventually(Duration::ZERO, "a truth", || true);
    }

    #[test]
    #[should_panic(expected = "not seen: the moon within 10ms")]
    fn a_condition_that_stays_false_is_named() {
        eventually(Duration::from_millis(10), "the moon", || false);
    }
}
