//! Connections through the broker lane, with time reserved for a direct connection.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ipc_connection::{IpcConnection, IpcError};
use ipc_endpoint::Endpoint;
use ipc_os::{Stream, blocking, deadline_after};
use rp_broker::lane::{BrokerLane, Route};

use crate::ClientConfig;
use crate::dial::{Detour, Dialer};

/// The broker lane, tried before a direct connection.
#[derive(Debug)]
struct ByBroker {
    lane: BrokerLane,
    budget: Duration,
}

impl Detour for ByBroker {
    fn dial(&self, deadline: Instant) -> Pin<Box<dyn Future<Output = Option<Stream>> + Send + '_>> {
        Box::pin(async move { Some(self.lane.dial(share(self.budget, deadline)).await.ok()?.0) })
    }

    fn dial_blocking(&self, deadline: Instant) -> Option<blocking::Stream> {
        Some(self.lane.dial_blocking(share(self.budget, deadline)).ok()?.0)
    }
}

impl Dialer {
    /// Returns a dialer that tries `lane` first, unless it is off.
    pub(crate) fn by_broker(lane: BrokerLane, config: &ClientConfig) -> Self {
        if lane.is_off() {
            return Self::default();
        }
        Self { detour: Some(Arc::new(ByBroker { lane, budget: config.broker_budget })) }
    }
}

/// Returns the budget of the lane: at most half of the time until `deadline`.
///
/// So a silent broker leaves the other half for the direct connection.
fn share(budget: Duration, deadline: Instant) -> Duration {
    budget.min(deadline.saturating_duration_since(Instant::now()) / 2)
}

/// Connects to a daemon by `lane`, or directly to `endpoint` if the lane fails.
///
/// The lane may use at most [`ClientConfig::broker_budget`] and at most half of
/// [`ClientConfig::connect_timeout`]. A failure of the lane is not an error.
///
/// # Errors
///
/// [`IpcError::Connect`], for the direct connection.
///
/// # Cancel safety
///
/// Cancelling closes the unfinished connection.
pub async fn connect_daemon(
    endpoint: impl Into<Endpoint>,
    lane: &BrokerLane,
    config: &ClientConfig,
) -> Result<IpcConnection, IpcError> {
    connect_daemon_with_route(endpoint, lane, config).await.map(|(connection, _)| connection)
}

/// Connects as [`connect_daemon`] does; also returns the route and its reason.
///
/// ```no_run
/// # async fn show() -> Result<(), Box<dyn std::error::Error>> {
/// use ipc_client::{BrokerLane, ClientConfig, connect_daemon_with_route};
/// use ipc_endpoint::{Environment, Locations};
///
/// let environment = Environment::from_process()?;
/// let lane = BrokerLane::from_environment(&environment);
/// let locations = Locations::for_client(&environment, None, None)?;
/// let (connection, route) =
///     connect_daemon_with_route(locations.endpoint().clone(), &lane, &ClientConfig::new()).await?;
/// println!("{route}: {:?}", route.why_direct());
/// # drop(connection);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// As [`connect_daemon`].
///
/// # Cancel safety
///
/// As [`connect_daemon`].
pub async fn connect_daemon_with_route(
    endpoint: impl Into<Endpoint>,
    lane: &BrokerLane,
    config: &ClientConfig,
) -> Result<(IpcConnection, Route), IpcError> {
    let deadline = deadline_after(config.connect_timeout);
    let (stream, route) = match lane.dial(share(config.broker_budget, deadline)).await {
        Ok(connected) => connected,
        Err(why) => (Stream::connect(&endpoint.into(), deadline).await?, Route::Direct(why)),
    };
    let mut connection = IpcConnection::new(stream);
    connection.set_recv_timeout(config.reply_timeout);
    Ok((connection, route))
}
