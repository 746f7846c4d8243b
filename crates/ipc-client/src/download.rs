//! A blocking client of the download daemon.

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use ipc_endpoint::Endpoint;
use ipc_model::download::{
    DownloadAttach, DownloadAttached, DownloadDaemonStatus, DownloadRequest, DownloadResponse,
    DownloadStatus, DownloadWait,
};
use ipc_os::blocking::Stream;
use ipc_os::{deadline_after, io_cause};
use thiserror::Error;
use wire_dispatch::{DecodeError, Wires};
use wire_v15::Generation;

use crate::ClientConfig;
use crate::blocking::{again_or, read_once, remaining};
use ipc_connection::IpcError;
use ipc_connection::inbound::Inbound;

/// The extra time for the answer to a wait, after the wait's own limit.
const GRACE: Duration = Duration::from_secs(5);

/// One connection to a download daemon, and the download that is attached to it.
///
/// Dropping the client detaches it: the daemon cancels a download without an attached client. A call that
/// fails during the exchange consumes the connection, because the next call would receive the late answer.
///
/// A released daemon answers the number of its own release and closes on every other one, so the first call tries
/// the numbers with a harmless request. A daemon of this project answers the first one.
///
/// Rule: `docs/spec/download.md#framing`.
#[derive(Debug)]
pub struct Client {
    config: ClientConfig,
    endpoint: Endpoint,
    stream: Option<Stream>,
    inbound: Inbound,
    /// Number of the daemon's answers; `None` before the first one.
    generation: Option<Generation>,
}

/// The numbers in the order of trying: this project's daemon and the oldest releases, then the newest ones.
const NUMBERS: [Generation; 4] = [Generation::V15, Generation::V23, Generation::V18, Generation::V17];

/// A call to a download daemon did not get the expected answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// There is no connection, or it broke.
    #[error(transparent)]
    Ipc(#[from] IpcError),
    /// The daemon did not do the request, and gives a reason.
    #[error("the download daemon refused: {0}")]
    Refused(String),
    /// The daemon sent an answer that does not belong to the request.
    #[error("the download daemon sent an unexpected answer: {0:?}")]
    Unexpected(Box<DownloadResponse>),
}

impl DownloadError {
    /// Returns the error of the operating system behind this one, if there is one.
    #[must_use]
    pub fn io(&self) -> Option<&io::Error> {
        io_cause(self)
    }

    /// Returns the kind of error of the standard library that is nearest.
    ///
    /// It is the kind of [`io`](Self::io) unless the variant says more.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Ipc(error) => error.kind(),
            Self::Refused(_) => io::ErrorKind::Other,
            Self::Unexpected(_) => io::ErrorKind::InvalidData,
        }
    }

    /// Returns true if no daemon listens at the endpoint.
    #[must_use]
    pub fn is_no_daemon(&self) -> bool {
        matches!(self, Self::Ipc(error) if error.is_no_daemon())
    }
}

impl Client {
    /// Connects; uses the connect, send and reply timeouts of `config`.
    ///
    /// # Errors
    ///
    /// [`IpcError::Connect`].
    pub fn connect(endpoint: &Endpoint, config: ClientConfig) -> Result<Self, IpcError> {
        let stream = Stream::connect(endpoint, deadline_after(config.connect_timeout))?;
        let endpoint = endpoint.clone();
        Ok(Self { config, endpoint, stream: Some(stream), inbound: Inbound::default(), generation: None })
    }

    /// Returns the process at the other end, if the system knows it.
    #[must_use]
    pub fn pid(&self) -> Option<ipc_os::Pid> {
        self.stream.as_ref().and_then(|stream| stream.peer().pid())
    }

    /// Asks whether the daemon is there.
    ///
    /// # Errors
    ///
    /// [`DownloadError`].
    pub fn ping(&mut self) -> Result<(), DownloadError> {
        match self.call(&DownloadRequest::Ping)? {
            DownloadResponse::Pong => Ok(()),
            other => Err(unexpected(other)),
        }
    }

    /// Asks for the daemon's status.
    ///
    /// # Errors
    ///
    /// [`DownloadError`].
    pub fn status(&mut self) -> Result<DownloadDaemonStatus, DownloadError> {
        match self.call(&DownloadRequest::Status)? {
            DownloadResponse::Status(status) => Ok(status),
            other => Err(unexpected(other)),
        }
    }

    /// Asks the daemon to end, which cancels its downloads; they can be resumed.
    ///
    /// # Errors
    ///
    /// [`DownloadError`].
    pub fn shutdown(&mut self) -> Result<(), DownloadError> {
        match self.call(&DownloadRequest::Shutdown)? {
            DownloadResponse::ShuttingDown => Ok(()),
            other => Err(unexpected(other)),
        }
    }

    /// Starts or joins a download.
    ///
    /// # Errors
    ///
    /// [`DownloadError::Refused`] also if another source is being downloaded to the destination.
    pub fn attach(&mut self, attach: DownloadAttach) -> Result<DownloadAttached, DownloadError> {
        match self.call(&DownloadRequest::DownloadAttach(attach))? {
            DownloadResponse::DownloadAttached(attached) => Ok(attached),
            other => Err(unexpected(other)),
        }
    }

    /// Asks for the progress of the attached download.
    ///
    /// # Errors
    ///
    /// [`DownloadError`].
    pub fn progress(&mut self) -> Result<DownloadStatus, DownloadError> {
        match self.call(&DownloadRequest::DownloadStatus)? {
            DownloadResponse::DownloadStatusResult(reply) => Ok(reply.status),
            other => Err(unexpected(other)),
        }
    }

    /// Waits up to `limit` for progress of the attached download; returns its status.
    ///
    /// # Errors
    ///
    /// [`DownloadError`]. A failed download is not an error of this call; its status has the phase.
    pub fn wait(&mut self, limit: Duration) -> Result<DownloadStatus, DownloadError> {
        let timeout_ms = Some(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX));
        let request = DownloadRequest::DownloadWait(DownloadWait { timeout_ms });
        match self.call_within(&request, limit.saturating_add(GRACE))? {
            DownloadResponse::DownloadStatusResult(reply)
            | DownloadResponse::DownloadFinished(reply)
            | DownloadResponse::DownloadCancelled(reply) => Ok(reply.status),
            other => Err(unexpected(other)),
        }
    }

    /// Detaches from the download and returns its status.
    ///
    /// The daemon cancels a download without other clients.
    ///
    /// # Errors
    ///
    /// [`DownloadError`].
    pub fn cancel(&mut self) -> Result<DownloadStatus, DownloadError> {
        match self.call(&DownloadRequest::DownloadCancel)? {
            DownloadResponse::DownloadCancelled(reply) => Ok(reply.status),
            other => Err(unexpected(other)),
        }
    }

    /// Sends any request and returns the answer of any kind.
    ///
    /// # Errors
    ///
    /// [`IpcError`]; every error except [`IpcError::Encode`] consumes the connection.
    pub fn call(&mut self, request: &DownloadRequest) -> Result<DownloadResponse, IpcError> {
        self.call_within(request, self.config.reply_timeout)
    }

    fn call_within(
        &mut self,
        request: &DownloadRequest,
        limit: Duration,
    ) -> Result<DownloadResponse, IpcError> {
        if let Some(generation) = self.generation {
            return self.exchange(request, generation, limit);
        }
        if matches!(request, DownloadRequest::Ping | DownloadRequest::Status) {
            return self.first_exchange(request, limit);
        }
        self.first_exchange(&DownloadRequest::Ping, self.config.reply_timeout)?;
        self.exchange(request, self.generation.unwrap_or(Generation::V15), limit)
    }

    /// Sends a harmless request with one number after the other until the daemon answers.
    fn first_exchange(
        &mut self,
        request: &DownloadRequest,
        limit: Duration,
    ) -> Result<DownloadResponse, IpcError> {
        let mut answered = self.exchange(request, NUMBERS[0], limit);
        for generation in &NUMBERS[1..] {
            if !matches!(&answered, Err(error) if error.is_disconnect()) {
                break;
            }
            let connected = Stream::connect(&self.endpoint, deadline_after(self.config.connect_timeout));
            // The daemon has ended: it closed the first connection for that reason.
            let Ok(stream) = connected else { break };
            (self.stream, self.inbound) = (Some(stream), Inbound::default());
            answered = self.exchange(request, *generation, limit);
        }
        answered
    }

    fn exchange(
        &mut self,
        request: &DownloadRequest,
        generation: Generation,
        limit: Duration,
    ) -> Result<DownloadResponse, IpcError> {
        let encoded = wire_v15::encode_in(request, generation);
        let frame = encoded.map_err(|error| IpcError::Encode(error.into()))?;
        let mut stream = self.stream.take().ok_or(IpcError::Consumed)?;
        let send_limit = self.config.send_timeout;
        send(&mut stream, &frame, deadline_after(send_limit), send_limit)?;
        let answer = self.receive(&mut stream, deadline_after(limit), limit)?;
        self.stream = Some(stream);
        Ok(answer)
    }

    fn receive(
        &mut self,
        stream: &mut Stream,
        deadline: Instant,
        limit: Duration,
    ) -> Result<DownloadResponse, IpcError> {
        loop {
            let malformed = |error: DecodeError| IpcError::of_decoding(error, Wires::BINCODE);
            if let Some((generation, body)) = self.inbound.cut_bincode().map_err(malformed)? {
                self.generation = Some(generation);
                return wire_v15::decode_in(&body, generation).map_err(|error| malformed(error.into()));
            }
            stream.set_read_timeout(Some(remaining(deadline, limit)?))?;
            match read_once(stream, &mut self.inbound) {
                Ok(0) => return Err(IpcError::Closed),
                Ok(_) => {}
                Err(error) => again_or(error, limit)?,
            }
        }
    }
}

fn send(stream: &mut Stream, mut rest: &[u8], deadline: Instant, limit: Duration) -> Result<(), IpcError> {
    while !rest.is_empty() {
        stream.set_write_timeout(Some(remaining(deadline, limit)?))?;
        match stream.write(rest) {
            Ok(0) => return Err(IpcError::Closed),
            Ok(written) => rest = &rest[written..],
            Err(error) => again_or(error, limit)?,
        }
    }
    Ok(())
}

fn unexpected(answer: DownloadResponse) -> DownloadError {
    match answer {
        DownloadResponse::Error(error) => DownloadError::Refused(error.message),
        other => DownloadError::Unexpected(Box::new(other)),
    }
}
