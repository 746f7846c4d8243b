//! The server: accepts connections, limits them, and answers through a [`Service`].

mod accept;
mod admission;
mod config;
mod connection;
pub(crate) mod drain;
mod figures;
mod idle;
mod in_flight;
mod permits;
mod reply_memory;
mod shared;
pub(crate) mod tasks;
mod waiting;
mod watchdog;

use std::borrow::BorrowMut;
use std::io;
use std::sync::Arc;

use ipc_os::{Listener, Stream, io_cause};
use thiserror::Error;
use tokio::sync::watch;

pub use config::{DrainPolicy, ServerConfig};
pub use figures::ServerFigures;
pub(crate) use figures::{Answering, Counters};
pub(crate) use reply_memory::ReplyMemory;

use crate::Service;
use shared::Shared;
use tasks::Tasks;

/// Answers requests on one listener until a client or a handle stops it.
///
/// Every wait has a timeout and every queue and buffer has a limit; see [`ServerConfig`]. A peer that exceeds
/// a limit receives `Backpressure` in its own framing before the server closes its connection.
pub struct Server<S> {
    shared: Arc<Shared<S>>,
    stop: watch::Sender<Option<Ended>>,
}

/// Stops a server and reads its counters.
#[derive(Debug, Clone)]
pub struct ServerHandle {
    stop: watch::Sender<Option<Ended>>,
    figures: Arc<Counters>,
}

/// Reason why a server stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ended {
    /// A client sent a shutdown request.
    Shutdown,
    /// The program called [`ServerHandle::shutdown`].
    Handle,
    /// No request arrived for [`ServerConfig::idle_timeout`].
    Idle,
}

/// Outcome of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// Reason of the stop.
    pub ended: Ended,
    /// Number of connections aborted at the end of the drain.
    pub cut_off: usize,
    /// Counters of the server.
    pub figures: ServerFigures,
}

/// A failure that ends a server.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The listener failed permanently.
    #[error("cannot accept connections any more")]
    Accept(#[source] ipc_os::AcceptError),
}

impl ServeError {
    /// Returns the error of the operating system behind this one, if there is one.
    #[must_use]
    pub fn io(&self) -> Option<&io::Error> {
        io_cause(self)
    }

    /// Returns the kind of error of the standard library that is nearest.
    ///
    /// It is the kind of [`io`](Self::io) unless the variant says more.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Accept(error) => error.kind(),
        }
    }
}

impl<S: Service> Server<S> {
    /// Returns a server that answers through `service`.
    pub fn new(service: S, config: ServerConfig) -> Self {
        let (stop, _) = watch::channel(None);
        Self { shared: Arc::new(Shared::new(service, config)), stop }
    }

    /// Returns a handle that outlives [`serve`](Self::serve).
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        ServerHandle { stop: self.stop.clone(), figures: Arc::clone(&self.shared.counters) }
    }

    /// Returns the service.
    #[must_use]
    pub fn service(&self) -> &S {
        &self.shared.service
    }

    /// Serves one connection that the caller has accepted.
    ///
    /// The future ends with the connection. It is for programs with an accept loop of their own. The limits of [`ServerConfig`] hold over all
    /// connections of this server, except for [`ServerConfig::idle_timeout`] and the drain, which belong to
    /// [`serve`](Self::serve). Once a client or a handle stops the server, each connection ends after its current
    /// request; [`ServerHandle::stopped`] tells the accept loop.
    ///
    /// # Cancel safety
    ///
    /// Cancelling closes the connection and drops its call.
    pub fn serve_connection(&self, stream: Stream) -> impl Future<Output = ()> + Send + 'static {
        accept::one(Arc::clone(&self.shared), self.stop.clone(), stream)
    }

    /// Serves `listener` until a client or a handle stops the server, then drains.
    ///
    /// The server closes the listener first, lets requests in flight finish within [`DrainPolicy::limit`],
    /// and then aborts the remaining connections.
    ///
    /// # Errors
    ///
    /// [`ServeError::Accept`] if the listener failed permanently; the server still drains its connections.
    ///
    /// # Cancel safety
    ///
    /// Cancelling aborts every connection at once, without a drain.
    pub async fn serve(self, listener: Listener) -> Result<Served, ServeError> {
        let connections = Tasks::default();
        let result = accept::run(&self.shared, &self.stop, listener, &connections).await;
        // `accept::run` has closed the listener, so that no connection arrives during the drain.
        let cut_off = drain::run(&self.shared.config.drain, &self.stop, &connections).await;
        let ended = result.map_err(ServeError::Accept)?;
        Ok(Served { ended, cut_off, figures: self.shared.counters.figures() })
    }
}

impl<S> std::fmt::Debug for Server<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("config", &self.shared.config).finish_non_exhaustive()
    }
}

impl ServerHandle {
    pub(crate) const fn new(stop: watch::Sender<Option<Ended>>, figures: Arc<Counters>) -> Self {
        Self { stop, figures }
    }

    /// Asks the server to stop; it drains and returns from `serve`.
    pub fn shutdown(&self) {
        stop(&self.stop, Ended::Handle);
    }

    /// Waits until a client or a handle stops the server, and returns the reason.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn stopped(&self) -> Ended {
        stopped(self.stop.subscribe()).await
    }

    /// Returns the server's counters so far.
    #[must_use]
    pub fn figures(&self) -> ServerFigures {
        self.figures.figures()
    }
}

/// Requests a stop; the first reason stays.
pub(crate) fn stop(sender: &watch::Sender<Option<Ended>>, why: Ended) {
    sender.send_if_modified(|ended| {
        let first = ended.is_none();
        if first {
            *ended = Some(why);
        }
        first
    });
}

/// Waits for a request to stop.
pub(crate) async fn stopped(mut receiver: impl BorrowMut<watch::Receiver<Option<Ended>>>) -> Ended {
    match receiver.borrow_mut().wait_for(Option::is_some).await.map(|ended| *ended) {
        Ok(Some(ended)) => ended,
        // All senders are gone: `serve` holds one until it ends.
        Ok(None) | Err(_) => Ended::Handle,
    }
}
