//! The signals that ask a process to end.

use std::future::poll_fn;
use std::io;

use crate::os;

/// Receives the system's requests to end this process.
///
/// They are SIGINT, SIGTERM and SIGHUP on Unix, and console events on Windows. After the first call of
/// [`listen`](Self::listen) these signals no longer end the process by themselves.
#[derive(Debug)]
pub struct Terminations(os::Terminations);

impl Terminations {
    /// Starts to receive the signals, for the rest of this process.
    ///
    /// Call it within a tokio runtime that has I/O enabled.
    ///
    /// # Errors
    ///
    /// The system's error of installing the handlers.
    pub fn listen() -> io::Result<Self> {
        os::Terminations::listen().map(Self)
    }

    /// Waits for the next signal. Signals that arrive together can count as one.
    ///
    /// # Cancel safety
    ///
    /// No signal is lost.
    pub async fn next(&mut self) {
        poll_fn(|cx| self.0.poll_next(cx)).await;
    }
}
