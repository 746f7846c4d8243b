//! What a connection waits for between two requests.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};

use tokio::time::{Instant, Sleep, sleep_until};

/// What a connection between two requests is woken by.
pub(super) enum Next {
    /// Bytes, or the end of the stream.
    Read(std::io::Result<usize>),
    /// The deadline.
    Late,
    /// The server, which ends.
    Stop,
    /// Another connection, which needs the place.
    Leave,
}

/// Whose task is woken by those who ask a connection for something.
///
/// Being polled is what makes a future wake its task, and once is enough: to poll each of them again whenever
/// something has arrived costs as much as reading it.
#[derive(Debug, Default)]
pub(super) struct Registered(Option<Waker>);

impl Registered {
    /// Whether the task of `cx` is not the one that will be woken; it is from now on.
    pub(super) fn is_other(&mut self, cx: &Context<'_>) -> bool {
        let other = !self.0.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
        if other {
            self.0 = Some(cx.waker().clone());
        }
        other
    }
}

/// Whether `deadline` has passed; wakes when it does.
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

/// Whether what is waited for is there; `None` never is.
pub(super) fn is_ready(awaited: Pin<&mut Option<impl Future>>, cx: &mut Context<'_>) -> bool {
    awaited.as_pin_mut().is_some_and(|awaited| awaited.poll(cx).is_ready())
}
