//! Pauses between attempts that grow, with jitter.

use std::time::Duration;

/// Pauses that double from the first to the longest one.
///
/// Each pause is half to all of its nominal length, so that clients that failed together do not return
/// together.
#[derive(Debug, Clone)]
pub struct Backoff {
    next: Duration,
    longest: Duration,
}

impl Backoff {
    /// Returns a backoff whose nominal pauses go from `first` to `longest`.
    #[must_use]
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { next: first, longest }
    }

    /// Returns the next pause.
    pub fn pause(&mut self) -> Duration {
        let pause = self.next.mul_f64(0.5 + fastrand::f64() / 2.0);
        self.next = (self.next * 2).min(self.longest);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_differ_from_each_other() {
        let ms = Duration::from_millis;
        let mut backoff = Backoff::new(ms(2), ms(50));
        let nominal = [2, 4, 8, 16, 32, 50, 50, 50].map(ms);
        for expected in nominal {
            let pause = backoff.pause();
            assert!(pause >= expected / 2 && pause <= expected, "{pause:?} {expected:?}");
        }
        let pauses: Vec<_> = (0..100).map(|_| backoff.pause()).collect();
        assert!(pauses.windows(2).any(|two| two[0] != two[1]));
    }
}
