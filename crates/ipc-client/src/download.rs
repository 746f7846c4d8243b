//! A blocking client of the download daemon.

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use ipc_endpoint::Endpoint;
use ipc_model::download::{
    DownloadAttach, DownloadAttached, DownloadDaemonStatus, DownloadRequest, DownloadResponse,
    DownloadStatus, DownloadWait,
};
use ipc_os::blocking::Stream;
use ipc_os::{deadline_after, io_cause};
use thiserror::Error;
use wire_dispatch::Wires;

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
#[derive(Debug)]
pub struct Client {
    config: ClientConfig,
    stream: Option<Stream>,
    inbound: Inbound,
    outbound: BytesMut,
}

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
        Ok(Self { config, stream: Some(stream), inbound: Inbound::default(), outbound: BytesMut::new() })
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
        self.outbound.clear();
        wire_v15::encode_into(request, &mut self.outbound).map_err(|error| IpcError::Encode(error.into()))?;
        let mut stream = self.stream.take().ok_or(IpcError::Consumed)?;
        let send_limit = self.config.send_timeout;
        send(&mut stream, &self.outbound, deadline_after(send_limit), send_limit)?;
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
            let taken = self.inbound.take_v15();
            if let Some(answer) = taken.map_err(|error| IpcError::of_decoding(error, Wires::V15))? {
                return Ok(answer);
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
