//! A deadline that costs nothing while it is kept.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ipc_os::FAR;
use tokio::time::{Instant, Sleep, sleep_until, timeout};

/// Tells when a deadline has passed, for deadlines that come one after the other.
///
/// To set and to clear a timer for each call costs more than the call's system calls. This one stays set: it
/// wakes at the deadline of some earlier call, and only then finds out that it is to wait longer.
#[derive(Debug, Default)]
pub struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
    /// What it is set to, so that one that is early enough need not be looked at.
    set: Option<Instant>,
    /// Whose task it wakes.
    wakes: Option<Waker>,
}

impl Timer {
    /// Ready once `deadline` has passed. Who knows the time says so.
    pub fn poll_passed(&mut self, deadline: Instant, now: Option<Instant>, cx: &mut Context<'_>) -> Poll<()> {
        let wakes = self.wakes.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
        if let (true, Some(set), Some(now)) = (wakes, self.set, now)
            && now < set
            && set <= deadline
        {
            // It will wake this task, and early enough.
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

/// The moment `limit` from now, by tokio's clock; a limit beyond all time is one far away.
pub fn after(limit: Duration) -> Instant {
    Instant::now() + limit.min(FAR)
}

/// What `work` comes to, unless that takes longer than `limit`; no timer is made for what need not wait.
pub async fn at_once_or_within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    match poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await {
        Poll::Ready(result) => Some(result),
        Poll::Pending => timeout(limit, work).await.ok(),
    }
}

/// What `work` comes to, unless that takes longer than `limit`.
///
/// The timer is `kept` from the second time on: a connection for one call has no use for it.
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
        // The time is asked for by those who wait.
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
    async fn each_deadline_is_waited_for_whatever_the_one_before_was() {
        let mut timer = Timer::default();
        let started = Instant::now();
        let ms = |ms| started + Duration::from_millis(ms);
        // Set for the first, and left set: no waiting.
        for late in [ms(20), ms(3_600_000), ms(30)] {
            let passed = poll_fn(|cx| Poll::Ready(timer.poll_passed(late, None, cx).is_ready())).await;
            assert!(!passed || Instant::now() >= late);
        }
        // It wakes at an earlier one, and waits on.
        for deadline in [ms(40), ms(45), ms(10)] {
            poll_fn(|cx| timer.poll_passed(deadline, Some(Instant::now()), cx)).await;
            assert!(Instant::now() >= deadline);
        }
    }
}
