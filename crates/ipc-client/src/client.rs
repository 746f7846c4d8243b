//! The asynchronous client.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
use wire_dispatch::{Dialect, Ids, Lane, Selector};

use crate::calling::{Calling, Came, Do};
use crate::config::Limits;
use crate::dial::Dialer;
use crate::memory::Memory;
use crate::mux::Mux;
use crate::patience::{Patience, is_out_of_time};
use crate::{CallError, ClientConfig};
use ipc_connection::timer::at_once_or_within;
use ipc_connection::{IpcConnection, IpcError};

/// Connections of wire v15 at one time, which carry one request each.
const LONE_CONNECTIONS: usize = 32;

/// Calls a daemon. Cheap to clone; the clones share their connections.
///
/// On wire v16 and in running-process frames one connection carries the requests of all clones at once,
/// and replies find their requests by id. On v15, which has no ids, each request has a connection to
/// itself, and connections are used again.
///
/// # Cancel safety
///
/// A call that is cancelled, times out or fails gives its connection up, and the next call makes a new
/// one: a late reply never reaches another call. Whether the daemon acted on a cancelled request is not
/// known.
///
/// A request is sent a second time only when it was not acted on, or when that is harmless
/// ([`Request::is_idempotent`]): because an idle connection turned out to be closed, or because the daemon
/// speaks v15 only and the policy is [`WirePolicy::Auto`](wire_dispatch::WirePolicy::Auto).
#[derive(Debug, Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    endpoint: Endpoint,
    config: ClientConfig,
    dialer: Dialer,
    state: Mutex<State>,
    /// Held while the connection for all is made, so that one is made.
    dialing: tokio::sync::Mutex<()>,
    lone: Semaphore,
}

#[derive(Debug)]
struct State {
    selector: Selector,
    memory: Memory,
    /// Connections that carry nothing at the moment, for v15: in boxes, because they come and go with each call.
    #[expect(clippy::vec_box, reason = "moved in and out, several times in a call")]
    idle: Vec<Box<IpcConnection>>,
    /// The connection that carries the requests of all.
    mux: Option<Arc<Mux<Stream>>>,
}

impl Client {
    /// Makes a client that connects when it is first used.
    pub fn new(endpoint: impl Into<Endpoint>, config: ClientConfig) -> Self {
        Self::dialed_by(Dialer::default(), endpoint.into(), config)
    }

    /// Makes a client that tries the broker lane before each connection that it makes.
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
    /// [`IpcError::Connect`]; [`IpcError::is_no_daemon`] tells that nobody listens.
    ///
    /// # Cancel safety
    ///
    /// Cancelling closes the connection that was being made.
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

    /// Where the daemon is.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.shared.endpoint
    }

    /// Whether there is a connection that the next call can use.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.state().is_connected()
    }

    /// Sends `request` and returns the daemon's answer, whatever it is.
    ///
    /// A daemon that is over its limits is asked again, after the pause that it asks for and on a new
    /// connection, for up to [`ClientConfig::busy_timeout`]. An `Error` response, and a `Backpressure` that is
    /// left then, are answers; the methods for each request turn them into errors.
    ///
    /// # Errors
    ///
    /// [`CallError::Ipc`] or [`CallError::OutcomeUnknown`].
    ///
    /// # Cancel safety
    ///
    /// See [`Client`].
    pub async fn call(&self, request: &Request) -> Result<Response, CallError> {
        let limits = Limits::begin(self.config());
        match self.attempt(request, &limits).await? {
            // Rare, and large: not in the memory of every call.
            busy @ Response::Backpressure(_) => Box::pin(self.ask_again(request, &limits, busy)).await,
            response => Ok(response),
        }
    }

    /// Asks a daemon again that has turned the request away.
    async fn ask_again(
        &self,
        request: &Request,
        limits: &Limits,
        mut turned_away: Response,
    ) -> Result<Response, CallError> {
        let mut patience = Patience::of(self.config(), limits);
        while let Some(pause) = patience.pause(&turned_away) {
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
                Do::Return(result) => return result, // nothing was asked
            };
            if fresh && let Some(mux) = carried_by.take() {
                mux.retire();
            }
            let ready = std::mem::take(&mut ready);
            let (mut connection, mut turn) = (None, None);
            let came = match dialect {
                Dialect::Bincode(generation) => {
                    let (came, used, taken) = self.alone(request, generation, fresh, ready, limits).await?;
                    (connection, turn) = (Some(used), Some(taken));
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
            // What is not kept is closed once the lock is free again.
            let (kept, _closed) =
                if connection.as_ref().is_some_and(|it| !it.is_consumed() && !is_busy(&came.reply)) {
                    (connection, None)
                } else {
                    (None, connection)
                };
            let mut state = self.state();
            state.idle.extend(kept);
            // After the connection, so that whoever gets the turn finds it.
            drop(turn);
            step = match calling.after(&mut state.selector, came) {
                Do::Return(result) => {
                    self.note(&mut state);
                    return result;
                }
                next => next,
            };
        }
    }

    /// Recalls what is known of the daemon, begins, and looks for the connection that will do.
    fn prepare<'a>(&self, calling: &mut Calling<'a>) -> (Do<'a>, Ready<'_>) {
        let mut state = self.state();
        if !state.is_connected() {
            self.recall(&mut state);
        }
        let step = calling.start(&state.selector);
        let ready = match &step {
            Do::Exchange { dialect: Dialect::Bincode(_), .. } => {
                let turn = self.shared.lone.try_acquire().ok();
                let idle = turn.as_ref().and_then(|_| state.idle.pop());
                Ready { turn, idle, mux: None }
            }
            Do::Exchange { .. } => Ready { mux: state.usable_mux(), ..Ready::default() },
            Do::Recall | Do::Return(_) => Ready::default(),
        };
        (step, ready)
    }

    /// Recalls what the daemon at the endpoint speaks, and leaves the connections to another one.
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

    /// Notes what was learned of the daemon at the endpoint.
    fn note(&self, state: &mut State) {
        if !self.shared.dialer.may_lead_elsewhere() {
            let State { selector, memory, .. } = state;
            memory.after_call(self.endpoint(), self.shared.config.wire, selector);
        }
    }

    /// One exchange on wire v15, on a connection of its own, which is handed out with the turn that it took.
    async fn alone<'a>(
        &'a self,
        request: &Request,
        generation: wire_v15::Generation,
        fresh: bool,
        ready: Ready<'a>,
        limits: &Limits,
    ) -> Result<(Came, Box<IpcConnection>, SemaphorePermit<'a>), IpcError> {
        let Ready { turn, mut idle, .. } = ready;
        let turn = match turn {
            Some(turn) => turn,
            None => {
                let limit = limits.reply();
                let turn = match at_once_or_within(limit, self.shared.lone.acquire()).await {
                    Some(Ok(turn)) => turn,
                    Some(Err(_)) | None => return Err(IpcError::TimedOut(limit)),
                };
                if !fresh {
                    idle = self.state().idle.pop();
                }
                turn
            }
        };
        let reused = idle.is_some();
        let mut connection = match idle {
            Some(connection) => connection,
            None => Box::new(IpcConnection::new(self.dial(limits.connect()).await?)),
        };
        let (sent, reply) = exchange_alone(&mut connection, request, generation, limits).await;
        Ok((Came { dialect: Dialect::Bincode(generation), reused, sent, reply }, connection, turn))
    }

    /// The connection that carries the requests of all, made if there is none.
    async fn mux(&self, limits: &Limits) -> Result<Arc<Mux<Stream>>, IpcError> {
        if let Some(mux) = self.state().usable_mux() {
            return Ok(mux);
        }
        // The wait for another call's dial counts: those who wait give up together, not one after the other.
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

    /// How the client behaves.
    #[must_use]
    pub fn config(&self) -> &ClientConfig {
        &self.shared.config
    }

    crate::families::family_methods! { {async} {.await} {} }
}

async fn exchange_alone(
    connection: &mut IpcConnection,
    request: &Request,
    generation: wire_v15::Generation,
    limits: &Limits,
) -> (bool, Result<(Dialect, Response), IpcError>) {
    match connection.send_bincode(request, generation, limits.send()).await {
        Ok(()) => {}
        Err(error) if error.is_disconnect() => {
            // A daemon that refuses says so before it closes.
            return (false, connection.last_words(limits.last_words()).await.ok_or(error));
        }
        Err(error) => return (false, Err(error)),
    }
    let reply = connection.recv_reply(Lane::V15, &Ids::default(), Some(limits.reply())).await;
    let reply = reply.and_then(|reply| reply.ok_or(IpcError::Closed));
    (true, reply.map(|reply| (reply.dialect(), reply.message)))
}

/// What a call can begin with at once.
#[derive(Debug, Default)]
struct Ready<'a> {
    /// A turn to have a connection of wire v15, and one that is idle.
    turn: Option<SemaphorePermit<'a>>,
    idle: Option<Box<IpcConnection>>,
    /// The connection that carries the requests of all.
    mux: Option<Arc<Mux<Stream>>>,
}

/// Whether the daemon has turned the request away: it closes the connection after that, or soon.
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
