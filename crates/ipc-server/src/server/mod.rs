//! The server: accepts connections, bounds them, and answers through a [`Service`].

mod accept;
mod admission;
mod config;
mod connection;
pub(crate) mod drain;
mod figures;
mod idle;
mod shared;
pub(crate) mod tasks;
mod turns;
mod waiting;
mod watchdog;

use std::borrow::BorrowMut;
use std::sync::Arc;

use ipc_os::Listener;
use thiserror::Error;
use tokio::sync::watch;

pub use config::{DrainPolicy, ServerConfig};
pub use figures::ServerFigures;
pub(crate) use figures::{Answering, Counters};

use crate::Service;
use shared::Shared;
use tasks::Tasks;

/// Answers requests on one listener until it is told to stop.
///
/// Every wait has a deadline and everything that grows has a bound: see [`ServerConfig`]. A peer that is
/// over a bound is told so in its own framing (`Backpressure`) before its connection is closed.
pub struct Server<S> {
    shared: Arc<Shared<S>>,
    stop: watch::Sender<Option<Ended>>,
}

/// Stops a server, and tells how it is doing.
#[derive(Debug, Clone)]
pub struct ServerHandle {
    stop: watch::Sender<Option<Ended>>,
    figures: Arc<Counters>,
}

/// Why a server stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ended {
    /// A client asked for it.
    Shutdown,
    /// [`ServerHandle::shutdown`] was called.
    Handle,
    /// Nobody asked for anything for [`ServerConfig::idle_timeout`].
    Idle,
}

/// How a server stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// Why.
    pub ended: Ended,
    /// Connections that were cut off because they did not finish within the drain.
    pub cut_off: usize,
    /// What it did.
    pub figures: ServerFigures,
}

/// A server could not go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The listener no longer works.
    #[error("cannot accept connections any more")]
    Accept(#[source] ipc_os::AcceptError),
}

impl<S: Service> Server<S> {
    /// Makes a server that answers through `service`.
    pub fn new(service: S, config: ServerConfig) -> Self {
        let (stop, _) = watch::channel(None);
        Self { shared: Arc::new(Shared::new(service, config)), stop }
    }

    /// Returns a handle that outlives [`serve`](Self::serve).
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        ServerHandle { stop: self.stop.clone(), figures: Arc::clone(&self.shared.counters) }
    }

    /// The service.
    #[must_use]
    pub fn service(&self) -> &S {
        &self.shared.service
    }

    /// Serves `listener` until a client or a [`ServerHandle`] asks to stop, then drains.
    ///
    /// Stopping closes the listener first, lets requests that are being answered finish within
    /// [`DrainPolicy::limit`], and cuts off the rest.
    ///
    /// # Errors
    ///
    /// [`ServeError::Accept`] where the listener fails for good; connections are drained all the same.
    ///
    /// # Cancel safety
    ///
    /// Cancelling cuts every connection off at once, without a drain.
    pub async fn serve(self, listener: Listener) -> Result<Served, ServeError> {
        let connections = Tasks::default();
        let result = accept::run(&self.shared, &self.stop, listener, &connections).await;
        // The listener is gone by here: nobody new gets in while the others finish.
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

    /// What the server has done so far.
    #[must_use]
    pub fn figures(&self) -> ServerFigures {
        self.figures.figures()
    }
}

/// Asks to stop, unless somebody has already.
pub(crate) fn stop(sender: &watch::Sender<Option<Ended>>, why: Ended) {
    sender.send_if_modified(|ended| {
        let first = ended.is_none();
        if first {
            *ended = Some(why);
        }
        first
    });
}

/// Waits until somebody asks to stop.
pub(crate) async fn stopped(mut receiver: impl BorrowMut<watch::Receiver<Option<Ended>>>) -> Ended {
    match receiver.borrow_mut().wait_for(Option::is_some).await.map(|ended| *ended) {
        Ok(Some(ended)) => ended,
        // Nobody is left who could ask; `serve` holds a sender, so this is its end.
        Ok(None) | Err(_) => Ended::Handle,
    }
}
