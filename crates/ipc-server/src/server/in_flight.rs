//! The limit of requests in flight.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts free slots. No task waits for a slot, so a counter suffices; a semaphore would lock its queue.
#[derive(Debug)]
pub(super) struct InFlight {
    free: AtomicUsize,
}

/// The slot of a request in flight; dropping it frees the slot.
#[derive(Debug)]
pub(super) struct Slot<'a>(&'a InFlight);

impl InFlight {
    pub(super) const fn new(most: usize) -> Self {
        Self { free: AtomicUsize::new(most) }
    }

    /// Takes a slot; `None` if no slot is free.
    pub(super) fn take(&self) -> Option<Slot<'_>> {
        let less = |free: usize| free.checked_sub(1);
        self.free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).ok().map(|_| Slot(self))
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.free.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_free_again_after_its_request() {
        let slots = InFlight::new(2);
        let (one, two) = (slots.take(), slots.take());
        assert!(one.is_some() && two.is_some() && slots.take().is_none());
        drop(one);
        assert!(slots.take().is_some());
        drop(two);
        assert_eq!(slots.free.load(Ordering::Relaxed), 2);
    }
}
