//! Waiting for a future on the calling thread with a timeout.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use ipc_os::deadline_after;

/// Polls `future` on this thread; returns `None` after `limit`.
///
/// For futures that need no runtime.
pub(super) fn block_within<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    let deadline = deadline_after(limit);
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return Some(value);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        thread::park_timeout(left);
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ready_result_is_returned_and_a_late_one_is_dropped() {
        assert_eq!(block_within(Duration::ZERO, async { 7 }), Some(7));
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let other = thread::spawn(move || sender.send(8));
        assert_eq!(block_within(Duration::MAX, receiver), Some(Ok(8)));
        other.join().unwrap().unwrap();
        let limit = Duration::from_millis(20);
        let begin = Instant::now();
        assert_eq!(block_within(limit, std::future::pending::<()>()), None);
        assert!(begin.elapsed() >= limit);
    }
}
