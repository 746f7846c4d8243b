//! One connection that carries messages.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use ipc_endpoint::{Endpoint, Stream};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use wire_v15::{Message, encode_into};

use crate::inbound::{Inbound, KEPT};
use crate::{ClientConfig, IpcError};

/// How long a client waits for a reply unless it says otherwise, as the released clients do.
pub const DEFAULT_CLIENT_RECV_TIMEOUT: Duration = Duration::from_secs(300);

/// A connection to or from a daemon.
pub type IpcConnection = Connection<Stream>;

/// A connection over any byte stream, carrying wire v15.
///
/// Frames above 16 MiB are refused on both sides, before they are sent or buffered.
///
/// # Cancel safety
///
/// v15 has no ids, so a reply that nobody waited for could be taken for the next one. Therefore a
/// [`send`](Self::send) that is cancelled or fails, and a [`recv`](Self::recv) that times out, fails or
/// is cancelled while a reply is owed, use the connection up: every later call is
/// [`IpcError::Consumed`]. A `recv` that is cancelled while nothing is owed (a server between requests)
/// loses nothing: what has arrived stays for the next.
#[derive(Debug)]
pub struct Connection<S> {
    stream: S,
    inbound: Inbound,
    outbound: BytesMut,
    recv_timeout: Option<Duration>,
    /// Messages sent minus messages received: above zero, the peer owes us a reply.
    owed: i64,
    consumed: bool,
}

/// Connects to the daemon at `endpoint` within five seconds; [`IpcConnection::connect`] takes a deadline.
///
/// # Errors
///
/// [`IpcError::Connect`].
///
/// # Cancel safety
///
/// Cancelling closes the connection that was being made.
pub async fn connect(endpoint: impl Into<Endpoint>) -> Result<IpcConnection, IpcError> {
    let deadline = Instant::now() + ClientConfig::new().connect_timeout;
    IpcConnection::connect(&endpoint.into(), deadline).await
}

impl IpcConnection {
    /// Connects to the daemon at `endpoint`, with [`DEFAULT_CLIENT_RECV_TIMEOUT`].
    ///
    /// A busy daemon (a full backlog) is tried again with jitter until `deadline`.
    ///
    /// # Errors
    ///
    /// [`IpcError::Connect`].
    ///
    /// # Cancel safety
    ///
    /// Cancelling closes the connection that was being made.
    pub async fn connect(endpoint: &Endpoint, deadline: Instant) -> Result<Self, IpcError> {
        let mut connection = Self::new(Stream::connect(endpoint, deadline).await?);
        connection.set_recv_timeout(DEFAULT_CLIENT_RECV_TIMEOUT);
        Ok(connection)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Carries messages over `stream`, without a receive timeout.
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            inbound: Inbound::default(),
            outbound: BytesMut::new(),
            recv_timeout: None,
            owed: 0,
            consumed: false,
        }
    }

    /// Sends `message` with one write.
    ///
    /// # Errors
    ///
    /// [`IpcError::Encode`] where it cannot be sent; nothing was, and the connection stays usable. Any
    /// other error uses the connection up.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: a part of the frame may have been written, so cancelling uses the connection up.
    pub async fn send<M: Message>(&mut self, message: &M) -> Result<(), IpcError> {
        if self.consumed {
            return Err(IpcError::Consumed);
        }
        self.outbound.clear();
        encode_into(message, &mut self.outbound)?;
        self.consumed = true;
        self.stream.write_all(&self.outbound).await?;
        self.stream.flush().await?;
        self.consumed = false;
        self.owed += 1;
        if self.outbound.capacity() > KEPT {
            self.outbound = BytesMut::new();
        }
        Ok(())
    }

    /// Receives one message within the default timeout; `None` when the peer has closed between frames.
    ///
    /// # Errors
    ///
    /// [`IpcError`]; all but [`IpcError::Consumed`] use the connection up.
    ///
    /// # Cancel safety
    ///
    /// Cancelling loses no bytes, but uses the connection up when a reply is owed; see [`Connection`].
    pub async fn recv<M: Message>(&mut self) -> Result<Option<M>, IpcError> {
        match self.recv_timeout {
            Some(limit) => self.recv_with_timeout(limit).await,
            None => self.recv_unlimited().await,
        }
    }

    /// Receives one message within `limit`; `None` when the peer has closed between frames.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv), and [`IpcError::TimedOut`].
    ///
    /// # Cancel safety
    ///
    /// As [`recv`](Self::recv).
    pub async fn recv_with_timeout<M: Message>(&mut self, limit: Duration) -> Result<Option<M>, IpcError> {
        match tokio::time::timeout(limit, self.recv_unlimited()).await {
            Ok(result) => result,
            Err(_) => {
                self.consumed = true;
                Err(IpcError::TimedOut(limit))
            }
        }
    }

    /// Reads what a peer said before it closed on us while we were sending; the connection stays used up.
    pub(crate) async fn last_words<M: Message>(&mut self, limit: Duration) -> Option<M> {
        self.consumed = false;
        let words = self.recv_with_timeout(limit).await;
        self.consumed = true;
        words.ok().flatten()
    }

    /// Sets the timeout of [`recv`](Self::recv).
    pub fn set_recv_timeout(&mut self, limit: Duration) {
        self.recv_timeout = Some(limit);
    }

    /// Lets [`recv`](Self::recv) wait for ever.
    pub fn clear_recv_timeout(&mut self) {
        self.recv_timeout = None;
    }

    /// The timeout of [`recv`](Self::recv).
    #[must_use]
    pub const fn recv_timeout(&self) -> Option<Duration> {
        self.recv_timeout
    }

    /// Whether a call has used the connection up.
    #[must_use]
    pub const fn is_consumed(&self) -> bool {
        self.consumed
    }

    /// The stream below.
    pub const fn stream(&self) -> &S {
        &self.stream
    }

    async fn recv_unlimited<M: Message>(&mut self) -> Result<Option<M>, IpcError> {
        if self.consumed {
            return Err(IpcError::Consumed);
        }
        // Stays so when this future is dropped while a reply is owed.
        self.consumed = self.owed > 0;
        let result = self.next_message().await;
        self.consumed = !matches!(result, Ok(Some(_)));
        if !self.consumed {
            self.owed -= 1;
        }
        result
    }

    async fn next_message<M: Message>(&mut self) -> Result<Option<M>, IpcError> {
        loop {
            if let Some(message) = self.inbound.take_message()? {
                return Ok(Some(message));
            }
            if self.stream.read_buf(self.inbound.space()).await? == 0 {
                return if self.inbound.is_empty() { Ok(None) } else { Err(IpcError::Closed) };
            }
        }
    }
}
