//! The server of a download daemon.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ipc_os::{AcceptError, Endpoint, Listener};
use tokio::sync::{Semaphore, watch};

use super::Downloads;
use super::connection::{self, Place};
use super::shared::Shared;
use crate::server::tasks::Tasks;
use crate::server::{Counters, drain, stop, stopped};
use crate::{ConnectionId, Ended, ServeError, Served, ServerConfig, ServerFigures, ServerHandle};

/// The pause after a shortage of descriptors; the connection that was not accepted stays queued.
const SHORTAGE_PAUSE: Duration = Duration::from_millis(20);

/// Connections that are being turned away at one time.
const AT_THE_DOOR: usize = 64;

/// Answers a download daemon's clients on one listener until it is told to stop.
///
/// The bounds are those of [`ServerConfig`], but for its wires and its memory budget: no request of this
/// protocol is large, and one above 1 MiB is refused. A connection that waits for a download is never closed
/// for being idle, because that would cancel its download; one too many is refused instead.
pub struct Server<D> {
    shared: Arc<Shared<D>>,
    stop: watch::Sender<Option<Ended>>,
}

impl<D: Downloads> Server<D> {
    /// Makes a server of `downloads`, which tells its clients that it listens at `endpoint`.
    pub fn new(downloads: D, endpoint: &Endpoint, config: ServerConfig) -> Self {
        let (stop, _) = watch::channel(None);
        let shared = Shared {
            downloads,
            endpoint: endpoint.as_str().to_owned(),
            began: Instant::now(),
            counters: Arc::new(Counters::new()),
            places: Arc::new(Semaphore::new(config.max_connections)),
            doormen: Arc::new(Semaphore::new(AT_THE_DOOR)),
            config,
        };
        Self { shared: Arc::new(shared), stop }
    }

    /// Returns a handle that outlives [`serve`](Self::serve).
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        ServerHandle::new(self.stop.clone(), Arc::clone(&self.shared.counters))
    }

    /// Serves `listener` until a client or a [`ServerHandle`] asks to stop, or nobody asks for anything.
    ///
    /// Clients that wait are told how far their download is, and then every connection is closed.
    ///
    /// # Errors
    ///
    /// [`ServeError::Accept`] where the listener fails for good.
    ///
    /// # Cancel safety
    ///
    /// Cancelling cuts every connection off at once.
    pub async fn serve(self, listener: Listener) -> Result<Served, ServeError> {
        let connections = Tasks::default();
        let result = self.accept(listener, &connections).await;
        let cut_off = drain::run(&self.shared.config.drain, &self.stop, &connections).await;
        let ended = result.map_err(ServeError::Accept)?;
        Ok(Served { ended, cut_off, figures: self.figures() })
    }

    fn figures(&self) -> ServerFigures {
        self.shared.counters.figures()
    }

    async fn accept(&self, listener: Listener, connections: &Tasks) -> Result<Ended, AcceptError> {
        let mut stop_receiver = self.stop.subscribe();
        let mut next = 0;
        loop {
            let accepted = tokio::select! {
                biased;
                ended = stopped(&mut stop_receiver) => return Ok(ended),
                () = self.idle() => {
                    stop(&self.stop, Ended::Idle);
                    continue;
                }
                accepted = listener.accept() => accepted,
            };
            let stream = match accepted {
                Ok(stream) => stream,
                Err(error) if error.is_fatal() => return Err(error),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "a connection was not accepted");
                    if error.is_transient() {
                        tokio::time::sleep(SHORTAGE_PAUSE).await;
                    }
                    continue;
                }
            };
            Counters::count(&self.shared.counters.connections);
            let place = match Arc::clone(&self.shared.places).try_acquire_owned() {
                Ok(held) => Place { is_served: true, _held: held },
                Err(_) => {
                    Counters::count(&self.shared.counters.turned_away);
                    match Arc::clone(&self.shared.doormen).try_acquire_owned() {
                        Ok(held) => Place { is_served: false, _held: held },
                        Err(_) => {
                            connection::refuse_at_once(stream).await;
                            continue;
                        }
                    }
                }
            };
            next += 1;
            let (shared, stop) = (Arc::clone(&self.shared), self.stop.clone());
            connections.spawn(ConnectionId::new(next), |listed| async move {
                let _listed = listed;
                connection::run(shared, stop, stream, place).await;
            });
        }
    }

    /// Returns when nothing has been asked for the configured time, nothing is attached and nothing runs.
    async fn idle(&self) {
        /// Between two looks while downloads run that nobody is attached to.
        const LOOK: Duration = Duration::from_millis(250);
        let Some(limit) = self.shared.config.idle_timeout else { return std::future::pending().await };
        loop {
            match limit.checked_sub(self.shared.counters.idle_for()) {
                None | Some(Duration::ZERO) if self.shared.downloads.active() == 0 => return,
                None | Some(Duration::ZERO) => tokio::time::sleep(LOOK).await,
                Some(left) => tokio::time::sleep(left).await,
            }
        }
    }
}

impl<D> std::fmt::Debug for Server<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("config", &self.shared.config).finish_non_exhaustive()
    }
}
