//! Connecting and waiting: within a runtime, or on the calling thread.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use ipc_os::{ConnectError, Endpoint, Handed, Stream, blocking};

use super::within::block_within;

/// The functions that connect and wait.
pub(super) trait Driver {
    /// The connection.
    type Stream: Send;

    /// Connects to `endpoint`.
    fn connect(
        endpoint: &Endpoint,
        deadline: Instant,
    ) -> impl Future<Output = Result<Self::Stream, ConnectError>> + Send;

    /// Takes over a connection that a broker handed on.
    fn take_over(handed: Handed, endpoint: &Endpoint) -> Result<Self::Stream, ConnectError>;

    /// Returns the output of `work`, or `None` if that takes longer than `limit`.
    fn within<T: Send>(
        limit: Duration,
        work: impl Future<Output = T> + Send,
    ) -> impl Future<Output = Option<T>> + Send;
}

/// Within a tokio runtime that has I/O and time enabled.
pub(super) struct InRuntime;

/// On the calling thread: every future is ready when it is first polled.
pub(super) struct OnThread;

impl Driver for InRuntime {
    type Stream = Stream;

    async fn connect(endpoint: &Endpoint, deadline: Instant) -> Result<Stream, ConnectError> {
        Stream::connect(endpoint, deadline).await
    }

    fn take_over(handed: Handed, endpoint: &Endpoint) -> Result<Stream, ConnectError> {
        Stream::of_handed(handed, endpoint)
    }

    async fn within<T: Send>(limit: Duration, work: impl Future<Output = T> + Send) -> Option<T> {
        tokio::time::timeout(limit, work).await.ok()
    }
}

impl Driver for OnThread {
    type Stream = blocking::Stream;

    async fn connect(endpoint: &Endpoint, deadline: Instant) -> Result<blocking::Stream, ConnectError> {
        blocking::Stream::connect(endpoint, deadline)
    }

    fn take_over(handed: Handed, endpoint: &Endpoint) -> Result<blocking::Stream, ConnectError> {
        blocking::Stream::of_handed(handed, endpoint)
    }

    async fn within<T: Send>(limit: Duration, work: impl Future<Output = T> + Send) -> Option<T> {
        block_within(limit, work)
    }
}

/// Returns the output of a future that is made of [`OnThread`]'s alone.
pub(super) fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("a future of `OnThread` blocks its thread and never waits"),
    }
}
