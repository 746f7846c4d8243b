//! Events that a connection waits for between requests.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};

use tokio::time::{Instant, Sleep, sleep_until};

/// Event that wakes a connection between requests.
pub(super) enum Next {
    /// Bytes, or the end of the stream.
    Read(std::io::Result<usize>),
    /// The deadline passed.
    Late,
    /// The server stops.
    Stop,
    /// Another connection needs the place.
    Leave,
}

/// The task that the stop and eviction futures wake.
///
/// One poll registers a task with a future. Polling the futures again at each read would cost as much as the
/// read.
#[derive(Debug, Default)]
pub(super) struct Registered(Option<Waker>);

impl Registered {
    /// Registers the task of `cx`; returns true if it was not registered before.
    pub(super) fn replace(&mut self, cx: &Context<'_>) -> bool {
        let other = !self.0.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
        if other {
            self.0 = Some(cx.waker().clone());
        }
        other
    }
}

/// Returns true if `deadline` has passed; otherwise `alarm` wakes the task at the deadline.
pub(super) fn has_passed(
    mut alarm: Pin<&mut Option<Sleep>>,
    deadline: Instant,
    cx: &mut Context<'_>,
) -> bool {
    match alarm.as_mut().as_pin_mut() {
        Some(set) if set.deadline() == deadline => {}
        Some(set) => set.reset(deadline),
        None => alarm.set(Some(sleep_until(deadline))),
    }
    alarm.as_pin_mut().is_none_or(|set| set.poll(cx).is_ready())
}

/// Returns true if `awaited` is ready; `None` is never ready.
pub(super) fn is_ready(awaited: Pin<&mut Option<impl Future>>, cx: &mut Context<'_>) -> bool {
    awaited.as_pin_mut().is_some_and(|awaited| awaited.poll(cx).is_ready())
}
