//! The asynchronous client.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use ipc_endpoint::Endpoint;
use ipc_model::{
    ArtifactData, Cleared, Compile, CompileEphemeral, CompileResult, DaemonStatus, ExecProbe,
    ExecProbeResult, ExecStore, ExecStoreAck, FingerprintCheck, FingerprintCheckResult, FingerprintFile,
    GenericToolExec, GenericToolExecResult, LinkEphemeral, LinkResult, Lookup, LookupResult, NormalizedPath,
    ReleaseWorktreeHandles, ReleaseWorktreeHandlesResult, Request, Response, RustArtifactInfo,
    RustArtifactList, SessionId, SessionStart, SessionStarted, SessionStats, SessionStatsReply, Store,
    StoreResult,
};
use ipc_os::Stream;
use tokio::sync::{Semaphore, SemaphorePermit};
use wire_dispatch::{Dialect, Lane, Selector};

use crate::busy_retries::{BusyRetries, is_out_of_time};
use crate::calling::{Calling, Came, Do};
use crate::config::Limits;
use crate::dial::Dialer;
use crate::memory::Memory;
use crate::mux::Mux;
use crate::{CallError, ClientConfig};
use ipc_connection::timer::at_once_or_within;
use ipc_connection::{IpcConnection, IpcError};

mod alone;
mod elsewhere;

use alone::exchange_alone;
use elsewhere::Elsewhere;

/// The largest number of wire v15 connections at one time; each carries one request.
const LONE_CONNECTIONS: usize = 32;

/// Calls a daemon. Cheap to clone; the clones share their connections.
///
/// On wire v16 and in running-process frames, one connection carries the requests of all clones at once, and
/// replies find their requests by id. v15 has no ids, so each v15 request has a connection to itself; the
/// next request uses the connection again.
///
/// # Cancel safety
///
/// A call that is cancelled, times out or fails closes its connection, and the next call makes a new one: a
/// late reply never reaches another call. The daemon may or may not have acted on a cancelled request.
///
/// The client sends a request a second time only if the daemon did not act on it, or if sending it twice is
/// harmless ([`Request::is_idempotent`]). This happens if an idle connection turns out to be closed, or if
/// the daemon speaks v15 only and the policy is [`WirePolicy::Auto`](wire_dispatch::WirePolicy::Auto).
#[derive(Debug, Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    endpoint: Endpoint,
    elsewhere: OnceLock<Elsewhere>,
    config: ClientConfig,
    dialer: Dialer,
    state: Mutex<State>,
    /// Held while the shared connection is made, so that only one is made.
    dialing: tokio::sync::Mutex<()>,
    lone: Semaphore,
}

#[derive(Debug)]
struct State {
    selector: Selector,
    memory: Memory,
    /// Idle v15 connections, in boxes because each call takes one out and puts it back.
    #[expect(clippy::vec_box, reason = "moved in and out, several times in a call")]
    idle: Vec<Box<IpcConnection>>,
    /// The connection that carries the requests of all clones.
    mux: Option<Arc<Mux<Stream>>>,
}

impl Client {
    /// Makes a client that connects on its first use.
    pub fn new(endpoint: impl Into<Endpoint>, config: ClientConfig) -> Self {
        Self::dialed_by(Dialer::default(), endpoint.into(), config)
    }

    /// Makes a client that tries the broker lane before each new connection.
    #[cfg(feature = "running-process")]
    pub fn with_broker_lane(
        endpoint: impl Into<Endpoint>,
        config: ClientConfig,
        lane: crate::BrokerLane,
    ) -> Self {
        Self::dialed_by(Dialer::by_broker(lane, &config), endpoint.into(), config)
    }

    fn dialed_by(dialer: Dialer, endpoint: Endpoint, config: ClientConfig) -> Self {
        let state = State {
            selector: Selector::new(config.wire, None),
            memory: Memory::default(),
            idle: Vec::new(),
            mux: None,
        };
        let shared = Shared {
            endpoint,
            elsewhere: OnceLock::new(),
            config,
            dialer,
            state: Mutex::new(state),
            dialing: tokio::sync::Mutex::new(()),
            lone: Semaphore::new(LONE_CONNECTIONS),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Makes a client and connects it.
    ///
    /// # Errors
    ///
    /// [`IpcError::Connect`]; [`IpcError::is_no_daemon`] is true if no daemon listens.
    ///
    /// # Cancel safety
    ///
    /// Cancelling closes the unfinished connection.
    pub async fn connect(endpoint: impl Into<Endpoint>, config: ClientConfig) -> Result<Self, IpcError> {
        let client = Self::new(endpoint, config);
        let lane = match client.prepare(&mut Calling::new(&Request::Ping)).0 {
            Do::Exchange { dialect, .. } => dialect.lane(),
            Do::Recall | Do::Return(_) => config.wire.first(),
        };
        let stream = client.dial(Limits::begin(&config).connect()).await?;
        let mut state = client.state();
        match lane {
            Lane::V15 => state.idle.push(Box::new(IpcConnection::new(stream))),
            Lane::V16 | Lane::FrameV1 => state.mux = Some(Arc::new(Mux::new(stream))),
        }
        drop(state);
        Ok(client)
    }

    /// Returns the endpoint where the client looks first.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.shared.endpoint
    }

    /// Returns true if there is a connection that the next call can use.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.state().is_connected()
    }

    /// Sends `request` and returns the daemon's answer of any kind.
    ///
    /// If the daemon answers `Backpressure`, the client sends the request again after the pause that the
    /// daemon names, on a new connection, for up to [`ClientConfig::busy_timeout`]. An `Error` response is an
    /// answer, and so is the last `Backpressure`; the methods for each request turn both into errors.
    ///
    /// # Errors
    ///
    /// [`CallError::Ipc`] or [`CallError::OutcomeUnknown`].
    ///
    /// # Cancel safety
    ///
    /// See [`Client`].
    pub async fn call(&self, request: &Request) -> Result<Response, CallError> {
        if let Some(other) = self.connected_elsewhere() {
            return other.call_here(request).await;
        }
        match self.call_here(request).await {
            // Rare and large, so the future is boxed to keep it out of every call's memory.
            Err(error) if error.is_no_daemon() => Box::pin(self.call_elsewhere(request, error)).await,
            result => result,
        }
    }

    async fn call_here(&self, request: &Request) -> Result<Response, CallError> {
        let limits = Limits::begin(self.config());
        match self.attempt(request, &limits).await? {
            // Rare and large, so the future is boxed to keep it out of every call's memory.
            busy @ Response::Backpressure(_) => Box::pin(self.ask_again(request, &limits, busy)).await,
            response => Ok(response),
        }
    }

    /// Sends a request again that the daemon turned away.
    async fn ask_again(
        &self,
        request: &Request,
        limits: &Limits,
        mut turned_away: Response,
    ) -> Result<Response, CallError> {
        let mut retries = BusyRetries::of(self.config(), limits);
        while let Some(pause) = retries.pause(&turned_away) {
            tokio::time::sleep(pause).await; // as the daemon asks
            match self.attempt(request, limits).await {
                Err(error) if is_out_of_time(&error) => break,
                result => turned_away = result?,
            }
        }
        Ok(turned_away)
    }

    async fn attempt(&self, request: &Request, limits: &Limits) -> Result<Response, CallError> {
        let mut calling = Calling::new(request);
        let mut carried_by: Option<Arc<Mux<Stream>>> = None;
        let (mut step, mut ready) = self.prepare(&mut calling);
        loop {
            let (request, dialect, fresh) = match step {
                Do::Exchange { request, dialect, fresh } => (request, dialect, fresh),
                Do::Recall => {
                    let mut state = self.state();
                    self.recall(&mut state);
                    step = calling.start(&state.selector);
                    continue;
                }
                Do::Return(result) => return result, // no exchange is left
            };
            if fresh && let Some(mux) = carried_by.take() {
                mux.retire();
            }
            let ready = std::mem::take(&mut ready);
            let (mut connection, mut permit) = (None, None);
            let came = match dialect {
                Dialect::Bincode(generation) => {
                    let (came, used, taken) = self.alone(request, generation, fresh, ready, limits).await?;
                    (connection, permit) = (Some(used), Some(taken));
                    came
                }
                Dialect::Protobuf(_) | Dialect::FrameV1 => {
                    let mux = match ready.mux {
                        Some(mux) => mux,
                        None => self.mux(limits).await?,
                    };
                    let came = mux.exchange(request, dialect, limits).await;
                    if is_busy(&came.reply) {
                        mux.retire();
                    }
                    carried_by = Some(mux);
                    came
                }
            };
            // A connection that is not kept closes after the lock is free again.
            let (kept, _closed) =
                if connection.as_ref().is_some_and(|it| !it.is_consumed() && !is_busy(&came.reply)) {
                    (connection, None)
                } else {
                    (None, connection)
                };
            let mut state = self.state();
            state.idle.extend(kept);
            // The permit is released after the connection is stored, so that the next holder finds the
            // connection.
            drop(permit);
            step = match calling.after(&mut state.selector, came) {
                Do::Return(result) => {
                    self.note(&mut state);
                    return result;
                }
                next => next,
            };
        }
    }

    /// Loads the known dialect, begins the call, and takes the connection that the call needs.
    fn prepare<'a>(&self, calling: &mut Calling<'a>) -> (Do<'a>, Ready<'_>) {
        let mut state = self.state();
        if !state.is_connected() {
            self.recall(&mut state);
        }
        let step = calling.start(&state.selector);
        let ready = match &step {
            Do::Exchange { dialect: Dialect::Bincode(_), .. } => {
                let permit = self.shared.lone.try_acquire().ok();
                let idle = permit.as_ref().and_then(|_| state.idle.pop());
                Ready { permit, idle, mux: None }
            }
            Do::Exchange { .. } => Ready { mux: state.usable_mux(), ..Ready::default() },
            Do::Recall | Do::Return(_) => Ready::default(),
        };
        (step, ready)
    }

    /// Loads the dialect of the daemon at the endpoint, and drops connections to another daemon.
    fn recall(&self, state: &mut State) {
        if self.shared.dialer.may_lead_elsewhere() {
            return;
        }
        let State { selector, memory, idle, mux } = state;
        if memory.before_connecting(self.endpoint(), self.shared.config.wire, selector) {
            idle.clear();
            if let Some(mux) = mux.take() {
                mux.retire();
            }
        }
    }

    /// Stores the dialect that the call learned about the daemon at the endpoint.
    fn note(&self, state: &mut State) {
        if !self.shared.dialer.may_lead_elsewhere() {
            let State { selector, memory, .. } = state;
            memory.after_call(self.endpoint(), self.shared.config.wire, selector);
        }
    }

    /// Makes one exchange on a v15 connection of its own; returns the connection and the permit.
    async fn alone<'a>(
        &'a self,
        request: &Request,
        generation: wire_v15::Generation,
        fresh: bool,
        ready: Ready<'a>,
        limits: &Limits,
    ) -> Result<(Came, Box<IpcConnection>, SemaphorePermit<'a>), IpcError> {
        let Ready { permit, mut idle, .. } = ready;
        let permit = match permit {
            Some(permit) => permit,
            None => {
                let limit = limits.reply();
                let permit = match at_once_or_within(limit, self.shared.lone.acquire()).await {
                    Some(Ok(permit)) => permit,
                    Some(Err(_)) | None => return Err(IpcError::TimedOut(limit)),
                };
                if !fresh {
                    idle = self.state().idle.pop();
                }
                permit
            }
        };
        let reused = idle.is_some();
        let mut connection = match idle {
            Some(connection) => connection,
            None => Box::new(IpcConnection::new(self.dial(limits.connect()).await?)),
        };
        let (sent, reply) = exchange_alone(&mut connection, request, generation, limits).await;
        Ok((Came { dialect: Dialect::Bincode(generation), reused, sent, reply }, connection, permit))
    }

    /// Returns the connection that carries the requests of all clones; makes it if it is missing.
    async fn mux(&self, limits: &Limits) -> Result<Arc<Mux<Stream>>, IpcError> {
        if let Some(mux) = self.state().usable_mux() {
            return Ok(mux);
        }
        // The wait for another call's dial counts, so that all waiting calls time out together.
        let deadline = limits.connect();
        let _only_one = self.shared.dialing.lock().await;
        if let Some(mux) = self.state().usable_mux() {
            return Ok(mux);
        }
        let mux = Arc::new(Mux::new(self.dial(deadline).await?));
        self.state().mux = Some(Arc::clone(&mux));
        Ok(mux)
    }

    async fn dial(&self, deadline: Instant) -> Result<Stream, IpcError> {
        self.shared.dialer.dial(self.endpoint(), deadline).await
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the client's configuration.
    #[must_use]
    pub fn config(&self) -> &ClientConfig {
        &self.shared.config
    }

    crate::families::family_methods! { {async} {.await} {} }
}

/// The connection that a call can use at once.
#[derive(Debug, Default)]
struct Ready<'a> {
    /// The permit for one v15 connection, and an idle connection.
    permit: Option<SemaphorePermit<'a>>,
    idle: Option<Box<IpcConnection>>,
    /// The connection that carries the requests of all clones.
    mux: Option<Arc<Mux<Stream>>>,
}

/// Returns true for `Backpressure`, after which the daemon closes the connection.
fn is_busy(reply: &Result<(Dialect, Response), IpcError>) -> bool {
    matches!(reply, Ok((_, Response::Backpressure(_))))
}

impl State {
    fn usable_mux(&self) -> Option<Arc<Mux<Stream>>> {
        self.mux.clone().filter(|mux| mux.is_usable())
    }

    fn is_connected(&self) -> bool {
        !self.idle.is_empty() || self.mux.as_ref().is_some_and(|mux| mux.is_usable())
    }
}
