//! Detached threads that ask brokers.
//!
//! running-process waits 30 s for a silent broker, on threads of the caller's runtime, and a dropped runtime
//! waits for its threads. The limit is an environment variable, which a library must not set. So each
//! question has its own thread and runtime, which delay neither the caller's runtime nor the process's end.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use tokio::sync::{Semaphore, SemaphorePermit, oneshot};

use super::LaneFailure;
use super::question::{Adopted, Question, adopt};

/// Number of questions of one process that callers wait for at one time. Each costs three threads.
const MOST: usize = 4;
static PLACES: Semaphore = Semaphore::const_new(MOST);

/// Number of abandoned questions of one process whose threads still wait.
///
/// They have no place in [`PLACES`], so silent brokers keep nobody from asking another one.
const MOST_OVERDUE: usize = 16;

/// Brokers that owe an answer to an abandoned question whose thread still waits.
static OVERDUE: Mutex<BTreeMap<u64, Option<String>>> = Mutex::new(BTreeMap::new());
static NEXT: AtomicU64 = AtomicU64::new(0);

fn overdue() -> MutexGuard<'static, BTreeMap<u64, Option<String>>> {
    OVERDUE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks a broker on a new thread.
///
/// Needs no runtime. A broker that owes an answer to an abandoned question is not asked again until the
/// thread of that question has ended.
///
/// # Cancel safety
///
/// Cancelling abandons the question: its thread goes on and closes the connection that results.
pub(super) async fn ask(
    question: Question,
    budget: Duration,
    asked: &mut bool,
) -> Result<Adopted, LaneFailure> {
    {
        let overdue = overdue();
        if overdue.values().any(|broker| *broker == question.broker) {
            return Err(LaneFailure::StillSilent);
        }
        if overdue.len() >= MOST_OVERDUE {
            return Err(LaneFailure::Crowded(budget));
        }
    }
    let place = PLACES.acquire().await.map_err(|error| LaneFailure::Thread(error.to_string()))?;
    *asked = true;
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let broker = question.broker.clone();
    let (answer, mut answered) = oneshot::channel();
    let body = move || {
        let _over = Over(number);
        let result = runtime().and_then(|runtime| runtime.block_on(adopt(question, budget)));
        // The caller that gives up checks for an answer and records its absence in one step.
        let nobody_looks = overdue();
        let _ = answer.send(result);
        drop(nobody_looks);
    };
    std::thread::Builder::new()
        .name("zccache-broker".to_owned())
        .spawn(body)
        .map_err(|error| LaneFailure::Thread(error.to_string()))?;

    let mut waiting = Waiting { number, broker, answered: &mut answered, is_over: false, _place: place };
    let result = (&mut *waiting.answered).await;
    waiting.is_over = true;
    result.unwrap_or_else(|_| Err(LaneFailure::Thread("its thread failed".to_owned())))
}

/// Returns a runtime for this thread alone.
///
/// `build` would link tokio's multi-thread scheduler and with it the system's mathematical library, which
/// each start of a client would load.
fn runtime() -> Result<LocalRuntime, LaneFailure> {
    let built = Builder::new_current_thread().build_local(LocalOptions::default());
    built.map_err(|error| LaneFailure::Thread(error.to_string()))
}

/// Guard that clears a broker's debt when the thread of its question ends.
struct Over(u64);

impl Drop for Over {
    fn drop(&mut self) {
        overdue().remove(&self.0);
    }
}

/// Guard that records a question that is abandoned before its answer.
struct Waiting<'a> {
    number: u64,
    broker: Option<String>,
    answered: &'a mut oneshot::Receiver<Result<Adopted, LaneFailure>>,
    is_over: bool,
    _place: SemaphorePermit<'static>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut overdue = overdue();
        if !self.is_over && matches!(self.answered.try_recv(), Err(oneshot::error::TryRecvError::Empty)) {
            overdue.insert(self.number, self.broker.take());
        }
    }
}
