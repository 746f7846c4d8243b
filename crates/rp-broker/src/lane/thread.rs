//! Threads that ask brokers, which nobody waits for.
//!
//! running-process waits half a minute for a silent broker, on threads of the caller's runtime, and a runtime
//! that is dropped waits for its threads. Its limit is an environment variable, which a library must not set.
//! So each question has a thread and a runtime of its own, and those who gave it up leave them behind: they
//! delay neither a runtime nor the end of the process.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use tokio::sync::{Semaphore, oneshot};

use super::LaneFailure;
use super::question::{Adopted, Question, adopt};

/// Questions of one process at one time; each costs three threads, two of them running-process's.
const MOST: usize = 4;
static PLACES: Semaphore = Semaphore::const_new(MOST);

/// Questions that were given up and whose threads still wait, with the broker that owes the answer.
static OVERDUE: Mutex<BTreeMap<u64, Option<String>>> = Mutex::new(BTreeMap::new());
static NEXT: AtomicU64 = AtomicU64::new(0);

fn overdue() -> MutexGuard<'static, BTreeMap<u64, Option<String>>> {
    OVERDUE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks, on a thread of its own.
///
/// Needs no runtime. A broker that owes an answer to a question that was given up is asked no other until its
/// thread has ended.
///
/// # Cancel safety
///
/// Cancelling gives the question up: its thread goes on, and what comes of it is closed.
pub(super) async fn ask(
    question: Question,
    budget: Duration,
    asked: &mut bool,
) -> Result<Adopted, LaneFailure> {
    if overdue().values().any(|broker| *broker == question.broker) {
        return Err(LaneFailure::StillSilent);
    }
    let place = PLACES.acquire().await.map_err(|error| LaneFailure::Thread(error.to_string()))?;
    *asked = true;
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let broker = question.broker.clone();
    let (answer, mut answered) = oneshot::channel();
    let body = move || {
        let _over = Over(number);
        let result = runtime().and_then(|runtime| runtime.block_on(adopt(question, budget)));
        // Whoever gave up looks whether there is an answer, and notes that there is none, in one step.
        let nobody_looks = overdue();
        let _ = answer.send(result);
        drop(nobody_looks);
        drop(place);
    };
    std::thread::Builder::new()
        .name("zccache-broker".to_owned())
        .spawn(body)
        .map_err(|error| LaneFailure::Thread(error.to_string()))?;

    let mut waiting = Waiting { number, broker, answered: &mut answered, is_over: false };
    let result = (&mut *waiting.answered).await;
    waiting.is_over = true;
    result.unwrap_or_else(|_| Err(LaneFailure::Thread("its thread failed".to_owned())))
}

/// A runtime of this thread alone. `build` would bring tokio's other scheduler into every program that has a lane,
/// and with it the system's mathematical library, which would be loaded each time that one of them starts.
fn runtime() -> Result<LocalRuntime, LaneFailure> {
    let built = Builder::new_current_thread().build_local(LocalOptions::default());
    built.map_err(|error| LaneFailure::Thread(error.to_string()))
}

/// The thread of a question, which owes nothing once it has ended, however it did.
struct Over(u64);

impl Drop for Over {
    fn drop(&mut self) {
        overdue().remove(&self.0);
    }
}

/// Notes a question that is given up before it was answered.
struct Waiting<'a> {
    number: u64,
    broker: Option<String>,
    answered: &'a mut oneshot::Receiver<Result<Adopted, LaneFailure>>,
    is_over: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut overdue = overdue();
        if !self.is_over && matches!(self.answered.try_recv(), Err(oneshot::error::TryRecvError::Empty)) {
            overdue.insert(self.number, self.broker.take());
        }
    }
}
