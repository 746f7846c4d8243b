//! The blocking client.

use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ipc_endpoint::Endpoint;
use ipc_model::{
    ArtifactData, Cleared, Compile, CompileEphemeral, CompileResult, DaemonStatus, ExecProbe,
    ExecProbeResult, ExecStore, ExecStoreAck, FingerprintCheck, FingerprintCheckResult, FingerprintFile,
    GenericToolExec, GenericToolExecResult, LinkEphemeral, LinkResult, Lookup, LookupResult, NormalizedPath,
    ReleaseWorktreeHandles, ReleaseWorktreeHandlesResult, Request, Response, RustArtifactInfo,
    RustArtifactList, SessionId, SessionStart, SessionStarted, SessionStats, SessionStatsReply, Store,
    StoreResult,
};
use ipc_os::blocking::Stream;
use ipc_os::deadline_after;
use wire_dispatch::{DecodedWireMessage, Dialect, Ids, Lane, Selector, WirePolicy, Wires};
use wire_v16::{default_request_id, frame_v1_request_id};

use crate::busy_retries::{BusyRetries, is_out_of_time};
use crate::calling::{Calling, Came, Do};
use crate::config::{Later, Limits};
use crate::dial::Dialer;
use crate::memory::Memory;
use crate::{CallError, ClientConfig};
use ipc_connection::IpcError;
use ipc_connection::inbound::{Inbound, KEPT_BY_CLIENTS};
use ipc_connection::reply::{Expected, of_request};

use elsewhere::Elsewhere;

mod elsewhere;
mod in_dialect;
mod sending;

/// Calls a daemon from a thread, one request at a time.
///
/// It behaves like [`crate::Client`]. A call that times out or fails closes its connection, and the next call
/// makes a new one.
#[derive(Debug)]
pub struct Client {
    endpoint: Endpoint,
    /// The other names to try, and the client's own endpoint.
    elsewhere: Option<Box<Elsewhere>>,
    config: ClientConfig,
    dialer: Dialer,
    selector: Selector,
    memory: Memory,
    connection: Option<Connection>,
}

#[derive(Debug)]
struct Connection {
    stream: Stream,
    inbound: Inbound,
    /// The read timeout that the socket has now.
    read_timeout: Option<Duration>,
    has_read: bool,
    last_frame_id: u64,
}

impl Client {
    /// Makes a client that connects on its first use.
    pub fn new(endpoint: impl Into<Endpoint>, config: ClientConfig) -> Self {
        Self {
            endpoint: endpoint.into(),
            elsewhere: None,
            config,
            dialer: Dialer::default(),
            selector: Selector::new(config.wire, None),
            memory: Memory::default(),
            connection: None,
        }
    }

    /// Makes a client that tries the broker lane before each new connection.
    #[cfg(feature = "running-process")]
    pub fn with_broker_lane(
        endpoint: impl Into<Endpoint>,
        config: ClientConfig,
        lane: crate::BrokerLane,
    ) -> Self {
        let mut client = Self::new(endpoint, config);
        client.dialer = Dialer::by_broker(lane, &client.config);
        client
    }

    /// Makes a client and connects it.
    ///
    /// # Errors
    ///
    /// [`IpcError::Connect`]; [`IpcError::is_no_daemon`] is true if no daemon listens.
    pub fn connect(endpoint: impl Into<Endpoint>, config: ClientConfig) -> Result<Self, IpcError> {
        Self::new(endpoint, config).connected()
    }

    /// Returns the endpoint of the daemon that the last call reached.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns true if there is a connection that the next call can use.
    #[must_use]
    pub const fn is_connected(&self) -> bool {
        self.connection.is_some()
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
    pub fn call(&mut self, request: &Request) -> Result<Response, CallError> {
        self.call_on(None, None, request).map(|reply| reply.message)
    }

    /// Sends `request` and returns the daemon's answer with its lane and ids.
    ///
    /// For this one call, `lane` replaces the policy, and `ids` replaces the ids that the client gives to its
    /// requests. A lane carries the ids that it has fields for; v15 has none. Otherwise this is
    /// [`call`](Self::call).
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub fn call_on(
        &mut self,
        lane: Option<Lane>,
        ids: Option<&Ids>,
        request: &Request,
    ) -> Result<DecodedWireMessage<Response>, CallError> {
        match lane.map(WirePolicy::Only) {
            Some(policy) => self.ask_with(policy, Selector::new(policy, None), ids, request),
            None => self.ask(self.config.wire, ids, request),
        }
    }

    fn ask(
        &mut self,
        policy: WirePolicy,
        ids: Option<&Ids>,
        request: &Request,
    ) -> Result<DecodedWireMessage<Response>, CallError> {
        let limits = Limits::begin(&self.config);
        let mut retries = BusyRetries::of(&self.config, &limits);
        let mut turned_away = None;
        loop {
            let reply = match (self.converse_anywhere(policy, ids, request, limits), turned_away) {
                (Err(error), Some(reply)) if is_out_of_time(&error) => return Ok(reply),
                (result, _) => result?,
            };
            match retries.pause(&reply.message) {
                Some(pause) => std::thread::sleep(pause), // as the daemon asks
                None => return Ok(reply),
            }
            turned_away = Some(reply);
        }
    }

    fn converse(
        &mut self,
        policy: WirePolicy,
        ids: Option<&Ids>,
        request: &Request,
        limits: Limits,
    ) -> Result<DecodedWireMessage<Response>, CallError> {
        let mut calling = Calling::new(request);
        let mut idle = self.connection.take();
        if idle.is_none() {
            self.recall(policy);
        }
        let mut came = (Dialect::from(policy.first()), Ids::default());
        let mut step = calling.start(&self.selector);
        loop {
            let (asked, on, fresh) = match step {
                Do::Exchange { request, dialect, fresh } => (request, dialect, fresh),
                Do::Recall => {
                    self.recall(policy);
                    step = calling.start(&self.selector);
                    continue;
                }
                Do::Return(result) => {
                    self.connection = idle;
                    if !self.dialer.may_lead_elsewhere() {
                        self.memory.after_call(&self.endpoint, policy, &self.selector);
                    }
                    let (dialect, ids) = came;
                    let (lane, version) = (dialect.lane(), dialect.version());
                    return result.map(|message| DecodedWireMessage { lane, version, ids, message });
                }
            };
            let usable = idle.take().filter(|_| !fresh);
            let reused = usable.is_some();
            let mut connection = match usable {
                Some(connection) => connection,
                None => self.dial(&limits)?,
            };
            // A version question before the request is not the caller's request and gets ids of its own.
            let own = ids.filter(|_| std::ptr::eq(asked, request)).cloned();
            let ids = own.unwrap_or_else(|| connection.ids(asked, on.lane()));
            let (sent, reply) = connection.exchange(asked, on, &ids, &limits);
            // A late reply could arrive on the connection after any failure except one before the first byte.
            // A daemon closes the connection after `Backpressure`.
            idle = Some(connection).filter(|_| match &reply {
                Ok(reply) => sent && !matches!(reply.message, Response::Backpressure(_)),
                Err(error) => matches!(error, IpcError::Encode(_)),
            });
            let reply = reply.map(|reply| {
                came = (reply.dialect(), reply.ids);
                (came.0, reply.message)
            });
            step = calling.after(&mut self.selector, Came { dialect: on, reused, sent, reply });
        }
    }

    /// Loads the dialect that the daemon at the endpoint spoke last.
    fn recall(&mut self, policy: WirePolicy) {
        if !self.dialer.may_lead_elsewhere() {
            self.memory.before_connecting(&self.endpoint, policy, &mut self.selector);
        }
    }

    fn dial(&self, limits: &Limits) -> Result<Connection, IpcError> {
        Ok(Connection {
            stream: self.dialer.dial_blocking(&self.endpoint, limits.connect())?,
            inbound: Inbound::keeping(KEPT_BY_CLIENTS),
            read_timeout: None,
            has_read: false,
            last_frame_id: 0,
        })
    }

    /// Sets the timeout of each later call as a whole, and of each of its steps.
    pub const fn set_call_timeout(&mut self, limit: Duration) {
        let config = &mut self.config;
        (config.connect_timeout, config.send_timeout) = (limit, limit);
        (config.reply_timeout, config.busy_timeout) = (limit, limit);
        config.call_timeout = Some(limit);
    }

    /// Returns the client's configuration.
    #[must_use]
    pub const fn config(&self) -> &ClientConfig {
        &self.config
    }

    crate::families::family_methods! { {} {} {mut} }
}

type Received = Result<DecodedWireMessage<Response>, IpcError>;

impl Connection {
    /// Makes one exchange; also returns true if the whole request was sent.
    fn exchange(
        &mut self,
        request: &Request,
        dialect: Dialect,
        ids: &Ids,
        limits: &Limits,
    ) -> (bool, Received) {
        let lane = dialect.lane();
        let wires = if lane == Lane::V15 { Wires::TO_BINCODE } else { Wires::ALL };
        let later = limits.later(request.kind());
        match self.send_request(request, dialect, ids, limits) {
            Ok(()) => {
                let received = self.receive(wires, limits.reply(), later);
                (true, received.and_then(|received| of_request(&Expected::of(lane, ids), received)))
            }
            Err(error) if error.is_disconnect() => {
                // A daemon that refuses a request sends its reason before it closes.
                (false, self.receive(Wires::ALL, limits.last_words(), later).map_err(|_| error))
            }
            Err(error) => (false, Err(error)),
        }
    }

    /// Returns the ids of the next request.
    fn ids(&mut self, request: &Request, lane: Lane) -> Ids {
        let kind = request.kind();
        match lane {
            Lane::V15 => Ids::default(),
            Lane::V16 => Ids { request_id: default_request_id(kind).to_owned(), frame_request_id: 0 },
            Lane::FrameV1 => {
                self.last_frame_id = self.last_frame_id.wrapping_add(1);
                let request_id = frame_v1_request_id(kind).to_owned();
                Ids { request_id, frame_request_id: self.last_frame_id }
            }
        }
    }

    /// Receives the final reply; a `CompileProgress` before it restarts the timeout of a compilation.
    fn receive(&mut self, wires: Wires, limit: Duration, later: Later) -> Received {
        let (mut deadline, mut whole) = (deadline_after(limit), Some(limit));
        loop {
            match self.inbound.take(wires).map_err(|error| IpcError::of_decoding(error, wires))? {
                Some(DecodedWireMessage { message: Response::CompileProgress(progress), .. }) => {
                    later.tell(&progress);
                    deadline = later.after_progress().map_or(deadline, |to| deadline_after(to.min(limit)));
                    remaining(deadline, limit)?; // a peer may never pause
                    continue;
                }
                Some(received) => return Ok(received),
                None => {}
            }
            let left = whole.take().map_or_else(|| remaining(deadline, limit), Ok)?;
            match self.read_within(left) {
                Ok(0) => return Err(IpcError::Closed),
                Ok(_) => {}
                Err(error) => again_or(error, limit)?,
            }
        }
    }

    /// Reads once; keeps the socket's read timeout if it exceeds `limit` by at most 1/64.
    ///
    /// So the timeout is set once for a connection, not for each call. The first read waits for data instead.
    fn read_within(&mut self, limit: Duration) -> std::io::Result<usize> {
        let enough = |set: Duration| set >= limit && set - limit <= limit / 64;
        if !std::mem::replace(&mut self.has_read, true) {
            self.stream.wait_readable(limit)?;
        } else if !self.read_timeout.is_some_and(enough) {
            self.stream.set_read_timeout(Some(limit))?;
            self.read_timeout = Some(limit);
        }
        read_once(&mut self.stream, &mut self.inbound)
    }
}

/// Reads once; reads directly into the buffer if the rest of a large frame is coming.
pub(crate) fn read_once(stream: &mut Stream, inbound: &mut Inbound) -> std::io::Result<usize> {
    if inbound.rest().is_none() {
        let mut room = [const { MaybeUninit::uninit() }; CHUNK];
        return stream.read_through(&mut room, |chunk| inbound.append(chunk));
    }
    // None of these calls moves or copies the buffer's bytes.
    let mut buffer = Vec::from(std::mem::take(&mut inbound.received));
    let read = stream.read_into(&mut buffer);
    inbound.received = Bytes::from(buffer).into();
    read
}

/// The size of one read if no large frame is coming.
const CHUNK: usize = 4 * 1024;

/// Returns the time that is left; no time left is an error, because a socket option cannot be zero.
pub(crate) fn remaining(deadline: Instant, limit: Duration) -> Result<Duration, IpcError> {
    match deadline.saturating_duration_since(Instant::now()) {
        Duration::ZERO => Err(IpcError::TimedOut(limit)),
        left => Ok(left),
    }
}

/// Ignores an interruption, and tells a timeout from another failure.
pub(crate) fn again_or(error: std::io::Error, limit: Duration) -> Result<(), IpcError> {
    match error.kind() {
        std::io::ErrorKind::Interrupted => Ok(()),
        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut => Err(IpcError::TimedOut(limit)),
        _ => Err(error.into()),
    }
}
