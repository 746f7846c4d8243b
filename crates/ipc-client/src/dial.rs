//! Making connections: by the broker lane where one was asked for, else directly.

use std::time::{Duration, Instant};

use ipc_endpoint::Endpoint;
use ipc_os::{Stream, blocking};
use rp_broker::lane::{BrokerLane, Route};

use crate::ClientConfig;
use crate::config::after;
use ipc_connection::{IpcConnection, IpcError};

/// How a client makes its connections.
#[derive(Debug, Clone)]
pub(crate) struct Dialer {
    lane: BrokerLane,
    budget: Duration,
}

impl Dialer {
    pub(crate) fn new(config: &ClientConfig) -> Self {
        Self { lane: BrokerLane::off(), budget: config.broker_budget }
    }

    pub(crate) fn set_lane(&mut self, lane: BrokerLane) {
        self.lane = lane;
    }

    /// Whether a connection can lead to another daemon than the one at the endpoint.
    pub(crate) const fn may_lead_elsewhere(&self) -> bool {
        !self.lane.is_off()
    }

    pub(crate) async fn dial(&self, endpoint: &Endpoint, deadline: Instant) -> Result<Stream, IpcError> {
        if self.lane.is_off() {
            return Ok(Stream::connect(endpoint, deadline).await?);
        }
        Ok(dial(endpoint, &self.lane, self.budget, deadline).await?.0)
    }

    pub(crate) fn dial_blocking(
        &self,
        endpoint: &Endpoint,
        deadline: Instant,
    ) -> Result<blocking::Stream, IpcError> {
        if !self.lane.is_off()
            && let Ok((stream, _)) = self.lane.dial_blocking(share(self.budget, deadline))
        {
            return Ok(stream);
        }
        Ok(blocking::Stream::connect(endpoint, deadline)?)
    }
}

/// Connects to a daemon: by `lane`, and where that leads nowhere to the one at `endpoint`.
///
/// The lane takes [`ClientConfig::broker_budget`] at most, and half of
/// [`ClientConfig::connect_timeout`]. Nothing that goes wrong on it is an error.
///
/// # Errors
///
/// [`IpcError::Connect`], for the direct connection.
///
/// # Cancel safety
///
/// Cancelling closes the connection that was being made.
pub async fn connect_daemon(
    endpoint: impl Into<Endpoint>,
    lane: &BrokerLane,
    config: &ClientConfig,
) -> Result<IpcConnection, IpcError> {
    connect_daemon_with_route(endpoint, lane, config).await.map(|(connection, _)| connection)
}

/// Connects as [`connect_daemon`] does, and tells by which way, and why.
///
/// ```no_run
/// # async fn show() -> Result<(), Box<dyn std::error::Error>> {
/// use zccache_ipc::endpoint::{Environment, Locations};
/// use zccache_ipc::{BrokerLane, ClientConfig, connect_daemon_with_route};
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
    let deadline = after(config.connect_timeout);
    let (stream, route) = dial(&endpoint.into(), lane, config.broker_budget, deadline).await?;
    let mut connection = IpcConnection::new(stream);
    connection.set_recv_timeout(config.reply_timeout);
    Ok((connection, route))
}

async fn dial(
    endpoint: &Endpoint,
    lane: &BrokerLane,
    budget: Duration,
    deadline: Instant,
) -> Result<(Stream, Route), IpcError> {
    match lane.dial(share(budget, deadline)).await {
        Ok(connected) => Ok(connected),
        Err(why) => Ok((Stream::connect(endpoint, deadline).await?, Route::Direct(why))),
    }
}

/// What the lane may take of the time until `deadline`: a broker that is silent must leave some for the daemon.
fn share(budget: Duration, deadline: Instant) -> Duration {
    budget.min(deadline.saturating_duration_since(Instant::now()) / 2)
}
