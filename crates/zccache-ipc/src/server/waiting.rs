//! What a connection waits for between two requests.

use std::future::Future as _;
use std::pin::Pin;
use std::task::Context;

use tokio::time::{Instant, Sleep};

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

/// Whether `deadline` has passed; wakes when it does. An alarm of an earlier deadline is left set, and wakes
/// for nothing.
pub(super) fn has_passed(mut alarm: Pin<&mut Sleep>, deadline: Instant, cx: &mut Context<'_>) -> bool {
    if alarm.deadline() != deadline {
        alarm.as_mut().reset(deadline);
    }
    alarm.poll(cx).is_ready()
}
