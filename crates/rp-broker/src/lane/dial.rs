//! The lane itself: from a decision to a connection, or to the reason for a direct one.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use ipc_endpoint::{Endpoint, Environment};
use ipc_os::{Stream, blocking, deadline_after};

use super::driver::{Driver, InRuntime, OnThread, at_once};
use super::question::{Adopted, Question};
use super::{Decision, LaneFailure, Route, Values, WhyDirect, thread};

/// A route to try before a client connects to a daemon's own endpoint.
///
/// Off by default. It then costs no system call and no allocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerLane {
    decision: Decision,
    version: Cow<'static, str>,
    broker: Option<Endpoint>,
    cached: Option<Endpoint>,
}

impl BrokerLane {
    /// The default timeout of the lane.
    pub const BUDGET: Duration = Duration::from_secs(1);

    /// Returns a lane that always connects directly.
    #[must_use]
    pub const fn off() -> Self {
        let version = Cow::Borrowed(env!("CARGO_PKG_VERSION"));
        Self { decision: Decision::NotAsked, version, broker: None, cached: None }
    }

    /// Returns the lane for `decision`.
    #[must_use]
    pub fn new(decision: Decision) -> Self {
        Self { decision, ..Self::off() }
    }

    /// Returns the lane for `environment`.
    #[must_use]
    pub fn from_environment(environment: &Environment) -> Self {
        Self::new(Values::from_environment(environment).decide(environment.platform()))
    }

    /// Asks the broker at `endpoint` instead of this user's broker.
    #[must_use]
    pub fn broker_at(mut self, endpoint: impl Into<Endpoint>) -> Self {
        self.broker = Some(endpoint.into());
        self
    }

    /// Asks for a daemon of `version` instead of this crate's version.
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Cow::Owned(version.into());
        self
    }

    /// Tries the backend at `endpoint` before the broker is asked.
    ///
    /// A broker named this backend before.
    #[must_use]
    pub fn cached(mut self, endpoint: impl Into<Endpoint>) -> Self {
        self.cached = Some(endpoint.into());
        self
    }

    /// Returns the decision.
    #[must_use]
    pub const fn decision(&self) -> &Decision {
        &self.decision
    }

    /// Returns the broker to ask, or `None` for this user's broker.
    #[must_use]
    pub const fn broker(&self) -> Option<&Endpoint> {
        self.broker.as_ref()
    }

    /// Returns true if the lane always connects directly.
    #[must_use]
    pub const fn is_off(&self) -> bool {
        matches!(self.decision, Decision::Disabled | Decision::NotAsked)
    }

    /// Connects by the lane within `budget`.
    ///
    /// Threads that outlive the budget delay neither the end of the runtime nor the end of the process. Call it
    /// in a tokio runtime that has I/O and time enabled.
    ///
    /// # Errors
    ///
    /// [`WhyDirect`]: the caller connects directly instead.
    ///
    /// # Cancel safety
    ///
    /// Cancelling closes the connection.
    pub async fn dial(&self, budget: Duration) -> Result<(Stream, Route), WhyDirect> {
        self.dial_as::<InRuntime>(budget).await
    }

    /// Opens two connections; the first only finds out whether somebody listens.
    ///
    /// # Errors
    ///
    /// As [`dial`](Self::dial).
    pub fn dial_blocking(&self, budget: Duration) -> Result<(blocking::Stream, Route), WhyDirect> {
        at_once(self.dial_as::<OnThread>(budget))
    }

    async fn dial_as<D: Driver>(&self, budget: Duration) -> Result<(D::Stream, Route), WhyDirect> {
        let result = match &self.decision {
            Decision::Disabled => return Err(WhyDirect::Disabled),
            Decision::NotAsked => return Err(WhyDirect::NotAsked),
            Decision::FakeBackend(endpoint) => fake::<D>(endpoint, deadline_after(budget)).await,
            Decision::Broker => self.negotiate::<D>(budget).await.map_err(WhyDirect::from),
        };
        told(result)
    }

    async fn negotiate<D: Driver>(&self, budget: Duration) -> Result<(D::Stream, Route), LaneFailure> {
        let deadline = deadline_after(budget);
        let mut asked = false;
        let answer = D::within(budget, thread::ask(self.question(), budget, &mut asked)).await;
        let Adopted { route, endpoint, handed } = answer.unwrap_or_else(|| Err(too_late(asked, budget)))?;
        let connected = match handed {
            Some(handed) => D::take_over(handed, &endpoint),
            None => D::connect(&endpoint, deadline).await,
        };
        Ok((connected.map_err(LaneFailure::Backend)?, route))
    }

    fn question(&self) -> Question {
        Question {
            broker: self.broker.as_ref().map(|endpoint| endpoint.as_str().to_owned()),
            version: self.version.clone().into_owned(),
            cached: self.cached.clone(),
        }
    }
}

impl Default for BrokerLane {
    fn default() -> Self {
        Self::off()
    }
}

fn too_late(asked: bool, budget: Duration) -> LaneFailure {
    if asked { LaneFailure::Silent(budget) } else { LaneFailure::Crowded(budget) }
}

/// Connects twice, as released clients do: the first connection only finds out whether somebody listens.
async fn fake<D: Driver>(endpoint: &Endpoint, deadline: Instant) -> Result<(D::Stream, Route), WhyDirect> {
    drop(D::connect(endpoint, deadline).await.map_err(WhyDirect::FakeBackend)?);
    let stream = D::connect(endpoint, deadline).await.map_err(WhyDirect::FakeBackend)?;
    Ok((stream, Route::FakeBackend { endpoint: endpoint.clone() }))
}

/// Logs the failure of a lane, because no caller reports it.
fn told<S>(result: Result<(S, Route), WhyDirect>) -> Result<(S, Route), WhyDirect> {
    match &result {
        Ok((_, route)) => {
            tracing::debug!(%route, endpoint = ?route.endpoint(), "connected by the broker lane")
        }
        Err(why) => {
            let why = why as &dyn std::error::Error;
            tracing::debug!(why, "the broker lane led nowhere; the daemon is dialled directly");
        }
    }
    result
}
