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

/// Pause after a shortage of file descriptors; the connection stays in the backlog.
const SHORTAGE_PAUSE: Duration = Duration::from_millis(20);

/// Maximum number of connections that receive a refusal at one time.
const MAX_REFUSED: usize = 64;

/// Answers a download daemon's clients on one listener until it is stopped.
///
/// The limits are in [`ServerConfig`]; this server ignores its wires and its memory budget, and refuses
/// requests above 1 MiB. It never evicts a connection that waits for a download, because that would cancel
/// the download; it refuses a further connection instead.
pub struct Server<D> {
    shared: Arc<Shared<D>>,
    stop: watch::Sender<Option<Ended>>,
}

impl<D: Downloads> Server<D> {
    /// Returns a server for `downloads` whose status names `endpoint`.
    pub fn new(downloads: D, endpoint: &Endpoint, config: ServerConfig) -> Self {
        let (stop, _) = watch::channel(None);
        let shared = Shared {
            downloads,
            endpoint: endpoint.as_str().to_owned(),
            began: Instant::now(),
            counters: Arc::new(Counters::new()),
            places: Arc::new(Semaphore::new(config.max_connections)),
            refused: Arc::new(Semaphore::new(MAX_REFUSED)),
            config,
        };
        Self { shared: Arc::new(shared), stop }
    }

    /// Returns a handle that outlives [`serve`](Self::serve).
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        ServerHandle::new(self.stop.clone(), Arc::clone(&self.shared.counters))
    }

    /// Serves `listener` until a client, a handle or the idle timeout stops it.
    ///
    /// The handle is a [`ServerHandle`]. The server then sends waiting clients the progress of their download
    /// and closes every connection.
    ///
    /// # Errors
    ///
    /// [`ServeError::Accept`] if the listener failed permanently.
    ///
    /// # Cancel safety
    ///
    /// Cancelling aborts every connection at once.
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
                    tracing::warn!(error = &error as &dyn std::error::Error, "failed to accept a connection");
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
                    match Arc::clone(&self.shared.refused).try_acquire_owned() {
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

    /// Returns after the idle timeout without requests, attached clients and running downloads.
    async fn idle(&self) {
        /// Interval of the checks while downloads without clients run.
        const CHECK: Duration = Duration::from_millis(250);
        let Some(limit) = self.shared.config.idle_timeout else { return std::future::pending().await };
        loop {
            match limit.checked_sub(self.shared.counters.idle_for()) {
                None | Some(Duration::ZERO) if self.shared.downloads.active() == 0 => return,
                None | Some(Duration::ZERO) => tokio::time::sleep(CHECK).await,
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
