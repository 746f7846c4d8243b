//! A timer for deadlines that are rarely reached.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ipc_os::FAR;
use tokio::time::{Instant, Sleep, sleep_until, timeout};

/// Reports passed deadlines of consecutive calls with one timer.
///
/// Setting and clearing a timer for each call costs more than the call's system calls. This timer stays
/// set: it fires at the deadline of an earlier call, and only then moves to the current deadline.
#[derive(Debug, Default)]
pub struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
    /// Deadline of `sleep`, known without polling it.
    set: Option<Instant>,
    /// Waker of the task that waits for `sleep`.
    wakes: Option<Waker>,
}

impl Timer {
    /// Polls until `deadline` has passed.
    ///
    /// Pass `now` if it is known; saves a clock read.
    pub fn poll_passed(&mut self, deadline: Instant, now: Option<Instant>, cx: &mut Context<'_>) -> Poll<()> {
        let wakes = self.wakes.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
        if let (true, Some(set), Some(now)) = (wakes, self.set, now)
            && now < set
            && set <= deadline
        {
            // The timer wakes this task no later than `deadline`.
            return Poll::Pending;
        }
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if sleep.deadline() > deadline {
            sleep.as_mut().reset(deadline);
        } else if wakes && !sleep.is_elapsed() {
            self.set = Some(sleep.deadline());
            return Poll::Pending;
        }
        if !wakes {
            self.wakes = Some(cx.waker().clone());
        }
        while sleep.as_mut().poll(cx).is_ready() {
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
        }
        self.set = Some(sleep.deadline());
        Poll::Pending
    }
}

/// Returns the time `limit` from now, by tokio's clock; saturates at one year.
pub fn after(limit: Duration) -> Instant {
    Instant::now() + limit.min(FAR)
}

/// Returns the result of `work`, or `None` after `limit`.
///
/// No timer is made if `work` is ready at the first poll.
pub async fn at_once_or_within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    match poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await {
        Poll::Ready(result) => Some(result),
        Poll::Pending => timeout(limit, work).await.ok(),
    }
}

/// Returns the result of `work`, or `None` after `limit`.
///
/// The first call uses a timer of its own and makes `kept` for later calls: a connection for one call does
/// not need it.
pub async fn within<T>(
    kept: &mut Option<Timer>,
    limit: Duration,
    work: impl Future<Output = T>,
) -> Option<T> {
    let Some(timer) = kept else {
        let result = timeout(limit, work).await;
        *kept = Some(Timer::default());
        return result.ok();
    };
    let mut work = pin!(work);
    let mut deadline = None;
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        // Only work that must wait reads the clock.
        Poll::Pending => {
            let mut now = None;
            let deadline = *deadline.get_or_insert_with(|| *now.insert(Instant::now()) + limit.min(FAR));
            timer.poll_passed(deadline, now, cx).map(|()| None)
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_deadline_is_waited_for_after_any_earlier_deadline() {
        let mut timer = Timer::default();
        let started = Instant::now();
        let ms = |ms| started + Duration::from_millis(ms);
        // The timer is set for the first deadline and stays set.
        for late in [ms(20), ms(3_600_000), ms(30)] {
            let passed = poll_fn(|cx| Poll::Ready(timer.poll_passed(late, None, cx).is_ready())).await;
            assert!(!passed || Instant::now() >= late);
        }
        // The timer fires at an earlier deadline, and `poll_passed` waits on.
        for deadline in [ms(40), ms(45), ms(10)] {
            poll_fn(|cx| timer.poll_passed(deadline, Some(Instant::now()), cx)).await;
            assert!(Instant::now() >= deadline);
        }
    }
}
