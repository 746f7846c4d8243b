//! Memory of the budget that a service reserves for its reply.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ipc_model::Backpressure;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::figures::Counters;
use super::permits::permits_for;

/// Reservation for the reply to the current request of one connection.
#[derive(Debug, Clone)]
pub(crate) struct ReplyMemory {
    pool: Arc<Pool>,
    slot: Arc<Slot>,
}

/// The part that all connections of a server share.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) budget: Arc<Semaphore>,
    pub(super) counters: Arc<Counters>,
    /// Number of permits of `budget`.
    pub(super) most: u32,
    /// Timeout of a wait for room.
    pub(super) limit: Duration,
    /// Answer to a client for whose reply there is no room.
    pub(super) refusal: Backpressure,
}

/// The part of one connection, which answers one request at a time.
#[derive(Debug, Default)]
struct Slot {
    /// True while the request holds memory of the budget. Two such requests that wait would wait for each other.
    is_holding: AtomicBool,
    held: Mutex<Option<OwnedSemaphorePermit>>,
}

impl ReplyMemory {
    pub(super) fn new(pool: &Arc<Pool>) -> Self {
        Self { pool: Arc::clone(pool), slot: Arc::default() }
    }

    /// Begins a request that holds memory of the budget, or none.
    pub(super) fn begin(&self, is_holding: bool) {
        self.slot.is_holding.store(is_holding, Ordering::Relaxed);
    }

    /// Takes the reservation of the request that ended.
    pub(super) fn take(&self) -> Option<OwnedSemaphorePermit> {
        self.held().take()
    }

    pub(crate) async fn reserve(&self, bytes: usize) -> Result<(), Backpressure> {
        // First, so that a request never waits for room while it holds some.
        drop(self.take());
        let Pool { budget, counters, most, limit, refusal } = &*self.pool;
        let permits = permits_for(bytes).min(*most);
        if permits == 0 {
            return Ok(());
        }
        let reserved = match Arc::clone(budget).try_acquire_many_owned(permits) {
            Ok(reserved) => Some(reserved),
            Err(_) if self.slot.is_holding.load(Ordering::Relaxed) => None,
            Err(_) => match timeout(*limit, Arc::clone(budget).acquire_many_owned(permits)).await {
                Ok(Ok(reserved)) => Some(reserved),
                Ok(Err(_)) | Err(_) => None,
            },
        };
        let Some(reserved) = reserved else {
            Counters::count(&counters.turned_away);
            return Err(refusal.clone());
        };
        *self.held() = Some(reserved);
        Ok(())
    }

    /// Extends the reservation to `bytes` in all, if the budget has room now.
    ///
    /// It never waits: two requests that hold memory and wait for more would wait for each other.
    pub(crate) fn extend(&self, bytes: usize) -> Result<(), Backpressure> {
        let Pool { budget, counters, refusal, .. } = &*self.pool;
        let mut held = self.held();
        let before = held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = permits_for(bytes).saturating_sub(u32::try_from(before).unwrap_or(u32::MAX));
        if more == 0 {
            return Ok(());
        }
        let Ok(reserved) = Arc::clone(budget).try_acquire_many_owned(more) else {
            Counters::count(&counters.turned_away);
            return Err(refusal.clone());
        };
        match &mut *held {
            Some(held) => held.merge(reserved),
            None => *held = Some(reserved),
        }
        Ok(())
    }

    fn held(&self) -> MutexGuard<'_, Option<OwnedSemaphorePermit>> {
        self.slot.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(budget: usize) -> Arc<Pool> {
        Arc::new(Pool {
            budget: Arc::new(Semaphore::new(budget)),
            counters: Arc::new(Counters::new()),
            most: u32::try_from(budget).unwrap(),
            limit: Duration::from_secs(30),
            refusal: Backpressure::default(),
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_reservation_waits_for_room_until_its_timeout_and_replaces_the_one_before() {
        let pool = pool(1000);
        let (first, second) = (ReplyMemory::new(&pool), ReplyMemory::new(&pool));
        first.reserve(900 << 10).await.unwrap();
        first.reserve(800 << 10).await.unwrap();
        assert_eq!(pool.budget.available_permits(), 200);
        assert!(second.reserve(300 << 10).await.is_err());
        let waiting = second.reserve(300 << 10);
        let freed = async {
            tokio::time::sleep(Duration::from_secs(10)).await; // of the paused clock
            drop(first.take());
        };
        let (reserved, ()) = tokio::join!(waiting, freed);
        reserved.unwrap();
        assert_eq!(pool.budget.available_permits(), 700);
        second.reserve(8 << 10).await.unwrap();
        assert_eq!(pool.budget.available_permits(), 1000, "small replies are free");
    }

    #[tokio::test]
    async fn a_reservation_grows_within_the_budget_and_never_waits() {
        let pool = pool(1000);
        let (first, second) = (ReplyMemory::new(&pool), ReplyMemory::new(&pool));
        for (bytes, left) in [(8 << 10, 1000), (100 << 10, 900), (50 << 10, 900), (700 << 10, 300)] {
            first.extend(bytes).unwrap();
            assert_eq!(pool.budget.available_permits(), left, "{bytes}");
        }
        second.extend(200 << 10).unwrap();
        assert!(first.extend(900 << 10).is_err(), "the second one keeps its part");
        drop(first.take());
        assert!(second.extend(1001 << 10).is_err(), "more than the whole budget");
        second.extend(900 << 10).unwrap();
        drop(second.take());
        assert_eq!(pool.budget.available_permits(), 1000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_holds_memory_does_not_wait_for_more() {
        let pool = pool(1000);
        let (first, second) = (ReplyMemory::new(&pool), ReplyMemory::new(&pool));
        first.reserve(900 << 10).await.unwrap();
        second.begin(true);
        let began = tokio::time::Instant::now();
        assert!(second.reserve(300 << 10).await.is_err());
        assert_eq!(began.elapsed(), Duration::ZERO);
        // More than the whole budget is the whole budget.
        drop(first.take());
        second.reserve(9000 << 10).await.unwrap();
        assert_eq!(pool.budget.available_permits(), 0);
    }
}
