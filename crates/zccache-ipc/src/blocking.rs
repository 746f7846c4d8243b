//! The same client without a runtime, for short-lived processes.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use ipc_endpoint::Endpoint;
use ipc_endpoint::blocking::Stream;
use ipc_model::{
    ArtifactData, Cleared, Compile, CompileEphemeral, CompileResult, DaemonStatus, FingerprintCheck,
    FingerprintCheckResult, FingerprintFile, GenericToolExec, GenericToolExecResult, LinkEphemeral,
    LinkResult, Lookup, LookupResult, NormalizedPath, ReleaseWorktreeHandles, ReleaseWorktreeHandlesResult,
    Request, Response, RustArtifactInfo, RustArtifactList, SessionId, SessionStart, SessionStarted,
    SessionStats, SessionStatsReply, Store, StoreResult,
};
use wire_v15::encode;

use crate::client::LAST_WORDS;
use crate::inbound::Inbound;
use crate::reply::{AfterFailure, after_failure};
use crate::{CallError, ClientConfig, IpcError};

/// Calls a daemon from a thread, one request at a time; see [`crate::Client`], which it behaves like.
///
/// A call that times out or fails gives its connection up, and the next call makes a new one.
#[derive(Debug)]
pub struct Client {
    endpoint: Endpoint,
    config: ClientConfig,
    connection: Option<Connection>,
}

#[derive(Debug)]
struct Connection {
    stream: Stream,
    inbound: Inbound,
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
    pub fn connect(endpoint: impl Into<Endpoint>, config: ClientConfig) -> Result<Self, IpcError> {
        let mut client = Self::new(endpoint, config);
        client.connection = Some(client.dial()?);
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
    pub fn call(&mut self, request: &Request) -> Result<Response, CallError> {
        let frame = encode(request).map_err(IpcError::from)?;
        let mut idle = self.connection.take();
        loop {
            let reused = idle.is_some();
            let mut connection = match idle.take() {
                Some(connection) => connection,
                None => self.dial()?,
            };
            let (sent, result) = self.attempt(&mut connection, &frame);
            match result {
                Ok(response) => {
                    if sent {
                        self.connection = Some(connection);
                    }
                    return Ok(response);
                }
                Err(error) => match after_failure(request, error, sent, reused) {
                    AfterFailure::AskAgain => {}
                    AfterFailure::Fail(error) => return Err(error),
                },
            }
        }
    }

    /// One exchange; tells also whether the whole request was sent.
    fn attempt(&self, connection: &mut Connection, frame: &[u8]) -> (bool, Result<Response, IpcError>) {
        match connection.send(frame, self.config.send_timeout) {
            Ok(()) => (true, connection.receive(self.config.reply_timeout)),
            Err(error) if error.is_disconnect() => {
                // A daemon that refuses says so before it closes.
                (false, connection.receive(LAST_WORDS).map_err(|_| error))
            }
            Err(error) => (false, Err(error)),
        }
    }

    fn dial(&self) -> Result<Connection, IpcError> {
        let deadline = Instant::now() + self.config.connect_timeout;
        Ok(Connection { stream: Stream::connect(&self.endpoint, deadline)?, inbound: Inbound::default() })
    }

    crate::families::family_methods! { {} {} }
}

impl Connection {
    fn send(&mut self, frame: &[u8], limit: Duration) -> Result<(), IpcError> {
        let deadline = Instant::now() + limit;
        let mut rest = frame;
        while !rest.is_empty() {
            self.stream.set_write_timeout(Some(remaining(deadline, limit)?))?;
            match self.stream.write(rest) {
                Ok(0) => return Err(IpcError::Closed),
                Ok(written) => rest = &rest[written..],
                Err(error) => again_or(error, limit)?,
            }
        }
        Ok(())
    }

    fn receive(&mut self, limit: Duration) -> Result<Response, IpcError> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(response) = self.inbound.take_message()? {
                return Ok(response);
            }
            self.stream.set_read_timeout(Some(remaining(deadline, limit)?))?;
            match read_into(&mut self.stream, self.inbound.space()) {
                Ok(0) => return Err(IpcError::Closed),
                Ok(_) => {}
                Err(error) => again_or(error, limit)?,
            }
        }
    }
}

/// Reads once into the spare room of `buffer`.
fn read_into(stream: &mut Stream, buffer: &mut BytesMut) -> std::io::Result<usize> {
    let start = buffer.len();
    buffer.resize(buffer.capacity(), 0);
    let read = stream.read(&mut buffer[start..]);
    buffer.truncate(start + read.as_ref().map_or(0, |read| *read));
    read
}

/// The time that is left, which a socket option cannot hold as zero.
fn remaining(deadline: Instant, limit: Duration) -> Result<Duration, IpcError> {
    match deadline.saturating_duration_since(Instant::now()) {
        Duration::ZERO => Err(IpcError::TimedOut(limit)),
        left => Ok(left),
    }
}

/// Passes over an interruption, and tells a timeout from a failure.
fn again_or(error: std::io::Error, limit: Duration) -> Result<(), IpcError> {
    match error.kind() {
        std::io::ErrorKind::Interrupted => Ok(()),
        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut => Err(IpcError::TimedOut(limit)),
        _ => Err(error.into()),
    }
}
