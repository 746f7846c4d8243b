//! The accept loop.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use ipc_os::{AcceptError, Listener, Stream};
use tokio::sync::watch;

use super::admission::Admission;
use super::connection;
use super::figures::Counters;
use super::shared::Shared;
use super::tasks::Tasks;
use super::{Ended, stop, stopped};
use crate::{ConnectionId, Service};

/// Pause after a shortage of file descriptors; the connection stays in the backlog.
const SHORTAGE_PAUSE: Duration = Duration::from_millis(20);

/// Accepts connections until a stop is requested. Never waits for a connection's work.
pub(super) async fn run<S: Service>(
    shared: &Arc<Shared<S>>,
    stop_sender: &watch::Sender<Option<Ended>>,
    listener: Listener,
    connections: &Tasks,
) -> Result<Ended, AcceptError> {
    let mut stop_receiver = stop_sender.subscribe();
    let mut short = false;
    // Made once: a timer for each new connection would wake the runtime each time.
    let mut stopped = pin!(stopped(&mut stop_receiver));
    let mut idle = pin!(idle(shared));
    loop {
        let accepted = tokio::select! {
            biased;
            ended = &mut stopped => return Ok(ended),
            () = &mut idle => {
                stop(stop_sender, Ended::Idle);
                return Ok(stopped.await);
            }
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok(stream) => {
                short = false;
                stream
            }
            Err(error) if error.is_fatal() => return Err(error),
            Err(error) if error.is_transient() => {
                if !std::mem::replace(&mut short, true) {
                    tracing::warn!(error = &error as &dyn std::error::Error, "accepting is paused");
                }
                tokio::time::sleep(SHORTAGE_PAUSE).await;
                continue;
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "failed to accept a connection");
                continue;
            }
        };
        let Some((id, admission)) = admit(shared) else {
            connection::refuse_at_once(shared, stream).await;
            continue;
        };
        let (shared, stop) = (Arc::clone(shared), stop_sender.clone());
        connections.spawn(id, |listed| connection::run(shared, id, stop, stream, admission, Some(listed)));
    }
}

/// Serves one connection that the caller has accepted, until it ends.
pub(super) async fn one<S: Service>(
    shared: Arc<Shared<S>>,
    stop_sender: watch::Sender<Option<Ended>>,
    stream: Stream,
) {
    match admit(&shared) {
        Some((id, admission)) => connection::run(shared, id, stop_sender, stream, admission, None).await,
        None => connection::refuse_at_once(&shared, stream).await,
    }
}

/// Counts a connection and returns its admission; `None` if too many wait for a place already.
fn admit<S>(shared: &Shared<S>) -> Option<(ConnectionId, Admission)> {
    Counters::count(&shared.counters.connections);
    let admission = match Arc::clone(&shared.places).try_acquire_owned() {
        Ok(place) => Admission::Served(place),
        Err(_) => match Arc::clone(&shared.queued).try_acquire_owned() {
            Ok(waiting) => Admission::Waiting(waiting),
            // The number of waiting connections is limited too.
            Err(_) => {
                Counters::count(&shared.counters.turned_away);
                return None;
            }
        },
    };
    Some((shared.next_connection(), admission))
}

/// Returns after the idle timeout without requests.
async fn idle<S>(shared: &Shared<S>) {
    let Some(limit) = shared.config.idle_timeout else { return std::future::pending().await };
    loop {
        match limit.checked_sub(shared.counters.idle_for()) {
            None | Some(Duration::ZERO) => return,
            Some(left) => tokio::time::sleep(left).await,
        }
    }
}
