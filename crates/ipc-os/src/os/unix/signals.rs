//! Signals that ask this process to end.

use std::io;
use std::task::{Context, Poll};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// See [`crate::Terminations`].
#[derive(Debug)]
pub(crate) struct Terminations([Signal; 3]);

impl Terminations {
    pub(crate) fn listen() -> io::Result<Self> {
        let [interrupt, terminate, hangup] =
            [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
        Ok(Self([interrupt?, terminate?, hangup?]))
    }

    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Every signal is polled, so that each can wake this task.
        let polled = self.0.each_mut().map(|signal| signal.poll_recv(cx));
        if polled.contains(&Poll::Ready(Some(()))) { Poll::Ready(()) } else { Poll::Pending }
    }
}
