//! How many requests may be answered at one time.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Turns that are free. Nobody waits for one, so that a number will do: a semaphore has a lock for its queue.
#[derive(Debug)]
pub(super) struct Turns {
    free: AtomicUsize,
}

/// A request that is being answered; its turn is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Turn<'a>(&'a Turns);

impl Turns {
    pub(super) const fn new(most: usize) -> Self {
        Self { free: AtomicUsize::new(most) }
    }

    /// Takes a turn, if one is free.
    pub(super) fn take(&self) -> Option<Turn<'_>> {
        let less = |free: usize| free.checked_sub(1);
        self.free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).ok().map(|_| Turn(self))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.free.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_so_many_turns_and_each_is_free_again() {
        let turns = Turns::new(2);
        let (one, two) = (turns.take(), turns.take());
        assert!(one.is_some() && two.is_some() && turns.take().is_none());
        drop(one);
        assert!(turns.take().is_some());
        drop(two);
        assert_eq!(turns.free.load(Ordering::Relaxed), 2);
    }
}
