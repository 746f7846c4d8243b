//! The asynchronous client.

use std::time::{Duration, Instant};

use ipc_endpoint::Endpoint;
use ipc_model::{
    ArtifactData, Cleared, Compile, CompileEphemeral, CompileResult, DaemonStatus, FingerprintCheck,
    FingerprintCheckResult, FingerprintFile, GenericToolExec, GenericToolExecResult, LinkEphemeral,
    LinkResult, Lookup, LookupResult, NormalizedPath, ReleaseWorktreeHandles, ReleaseWorktreeHandlesResult,
    Request, Response, RustArtifactInfo, RustArtifactList, SessionId, SessionStart, SessionStarted,
    SessionStats, SessionStatsReply, Store, StoreResult,
};
use wire_dispatch::{Lane, Selector};

use crate::calling::{Calling, Came, Do};
use crate::memory::Memory;
use crate::{CallError, ClientConfig, IpcConnection, IpcError};

/// How long to look for a refusal that a daemon sent before it closed on us.
pub(crate) const LAST_WORDS: Duration = Duration::from_millis(250);

/// Calls a daemon, one request at a time, over a connection that is made when it is needed.
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
#[derive(Debug)]
pub struct Client {
    endpoint: Endpoint,
    config: ClientConfig,
    selector: Selector,
    memory: Memory,
    /// The lane of the latest exchange.
    spoken: Lane,
    connection: Option<IpcConnection>,
}

impl Client {
    /// Makes a client that connects when it is first used.
    pub fn new(endpoint: impl Into<Endpoint>, config: ClientConfig) -> Self {
        let selector = Selector::new(config.wire, None);
        Self {
            endpoint: endpoint.into(),
            config,
            selector,
            memory: Memory::default(),
            spoken: config.wire.first(),
            connection: None,
        }
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
        let mut client = Self::new(endpoint, config);
        client.connection = Some(client.dial().await?);
        Ok(client)
    }

    /// Where the daemon is.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Whether there is a connection that the next call can use.
    #[must_use]
    pub const fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// Sends `request` and returns the daemon's answer, whatever it is.
    ///
    /// An `Error` or `Backpressure` response is an answer; the methods for each request turn them into
    /// errors.
    ///
    /// # Errors
    ///
    /// [`CallError::Ipc`] or [`CallError::OutcomeUnknown`].
    ///
    /// # Cancel safety
    ///
    /// See [`Client`].
    pub async fn call(&mut self, request: &Request) -> Result<Response, CallError> {
        let mut calling = Calling::new(request);
        let mut idle = self.connection.take();
        if idle.is_none() {
            self.memory.before_connecting(&self.endpoint, self.config.wire, &mut self.selector);
        }
        let mut step = calling.start(&self.selector);
        loop {
            let (request, lane, fresh) = match step {
                Do::Exchange { request, lane, fresh } => (request, lane, fresh),
                Do::Return(result) => {
                    self.connection = idle.filter(|connection| !connection.is_consumed());
                    self.memory.after_call(&self.endpoint, self.config.wire, &self.selector);
                    return result;
                }
            };
            self.spoken = lane;
            let usable = idle.take().filter(|connection| !fresh && !connection.is_consumed());
            let reused = usable.is_some();
            let mut connection = match usable {
                Some(connection) => connection,
                None => self.dial().await?,
            };
            let (sent, reply) = self.exchange(&mut connection, request, lane).await;
            idle = Some(connection);
            step = calling.after(&mut self.selector, Came { lane, reused, sent, reply });
        }
    }

    /// One exchange; tells also whether the whole request was sent.
    async fn exchange(
        &self,
        connection: &mut IpcConnection,
        request: &Request,
        lane: Lane,
    ) -> (bool, Result<Response, IpcError>) {
        let limit = self.config.send_timeout;
        let sent = tokio::time::timeout(limit, connection.send_request(request, lane)).await;
        let ids = match sent.unwrap_or(Err(IpcError::TimedOut(limit))) {
            Ok(ids) => ids,
            Err(error) if error.is_disconnect() => {
                // A daemon that refuses says so before it closes.
                return (false, connection.last_words(LAST_WORDS).await.ok_or(error));
            }
            Err(error) => return (false, Err(error)),
        };
        let reply = connection.recv_response(lane, &ids, Some(self.config.reply_timeout)).await;
        (true, reply.and_then(|reply| reply.ok_or(IpcError::Closed)))
    }

    async fn dial(&self) -> Result<IpcConnection, IpcError> {
        IpcConnection::connect(&self.endpoint, Instant::now() + self.config.connect_timeout).await
    }

    crate::families::family_methods! { {async} {.await} }
}
