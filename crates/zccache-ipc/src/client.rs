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

use crate::reply::{AfterFailure, after_failure};
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
/// A request is sent a second time only when an idle connection turns out to be closed, and only when
/// that is harmless ([`Request::is_idempotent`]) or nothing was sent.
#[derive(Debug)]
pub struct Client {
    endpoint: Endpoint,
    config: ClientConfig,
    connection: Option<IpcConnection>,
}

impl Client {
    /// Makes a client that connects when it is first used.
    pub fn new(endpoint: impl Into<Endpoint>, config: ClientConfig) -> Self {
        Self { endpoint: endpoint.into(), config, connection: None }
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
        let mut idle = self.connection.take();
        loop {
            let reused = idle.is_some();
            let mut connection = match idle.take() {
                Some(connection) => connection,
                None => self.dial().await?,
            };
            let (sent, result) = self.attempt(&mut connection, request).await;
            let error = match result {
                Ok(response) => {
                    if !connection.is_consumed() {
                        self.connection = Some(connection);
                    }
                    return Ok(response);
                }
                Err(error) => error,
            };
            if matches!(error, IpcError::Encode(_)) {
                // Nothing was sent, so the connection is as good as before.
                self.connection = Some(connection);
            }
            match after_failure(request, error, sent, reused) {
                AfterFailure::AskAgain => {}
                AfterFailure::Fail(error) => return Err(error),
            }
        }
    }

    /// One exchange; tells also whether the whole request was sent.
    async fn attempt(
        &self,
        connection: &mut IpcConnection,
        request: &Request,
    ) -> (bool, Result<Response, IpcError>) {
        let limit = self.config.send_timeout;
        let sent = tokio::time::timeout(limit, connection.send(request)).await;
        match sent.unwrap_or(Err(IpcError::TimedOut(limit))) {
            Ok(()) => {}
            Err(error) if error.is_disconnect() => {
                // A daemon that refuses says so before it closes.
                return (false, connection.last_words(LAST_WORDS).await.ok_or(error));
            }
            Err(error) => return (false, Err(error)),
        }
        let reply = connection.recv_with_timeout(self.config.reply_timeout).await;
        (true, reply.and_then(|reply| reply.ok_or(IpcError::Closed)))
    }

    async fn dial(&self) -> Result<IpcConnection, IpcError> {
        IpcConnection::connect(&self.endpoint, Instant::now() + self.config.connect_timeout).await
    }

    crate::families::family_methods! { {async} {.await} }
}
