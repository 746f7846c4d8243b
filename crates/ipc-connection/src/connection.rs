//! A connection that carries messages.

use std::borrow::Cow;
use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use ipc_model::Request;
use ipc_os::{Endpoint, Stream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use wire_dispatch::{
    DecodedWireMessage, Dialect, EncodeError, FrameKind, Ids, Lane, Message, Wires, encode_pieces,
};
use wire_frame::Pieces;
use wire_v15::Direction;
use wire_v16::default_request_id;

use crate::inbound::{Inbound, KEPT_BY_CLIENTS};
use crate::reply::Expected;
use crate::timer::{Timer, within};
use crate::{IpcError, outbound, spare};

mod bincode;
mod exchange;
mod lanes;

/// Receive timeout of a client by default, as in the released clients.
pub const DEFAULT_CLIENT_RECV_TIMEOUT: Duration = Duration::from_secs(300);

/// Connect timeout of a client by default.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection to or from a daemon.
pub type IpcConnection = Connection<Stream>;

/// A connection over any byte stream, for messages of every lane.
///
/// [`send`](Self::send) and [`recv`](Self::recv) speak number 15 only, as the oldest releases do, and
/// [`send_in`](Self::send_in) and [`recv_bincode`](Self::recv_bincode) every number of bincode;
/// [`send_request`](Self::send_request) and [`recv_wire`](Self::recv_wire) speak all lanes.
///
/// A sender refuses a frame above 16 MiB before it sends a byte; a receiver refuses it before it buffers
/// the body.
///
/// # Cancel safety
///
/// Replies on v15 have no ids, and a late reply of any lane would arrive before the next reply. Therefore
/// a [`send`](Self::send) that is cancelled or fails consumes the connection, and so does a
/// [`recv`](Self::recv) that times out, fails or is cancelled while the peer owes a reply. Every later
/// call returns [`IpcError::Consumed`]. While the peer owes no reply (a server between requests), no `recv`
/// consumes the connection. A `recv` that is cancelled or times out loses nothing: the received bytes stay
/// buffered for the next `recv`. After a `recv` that fails, [`send`](Self::send) still works, so that a
/// server can send the reason of a refusal.
#[derive(Debug)]
pub struct Connection<S> {
    stream: S,
    inbound: Inbound,
    /// Made at the second reply: a connection for one call does not need it.
    timer: Option<Timer>,
    recv_timeout: Option<Duration>,
    /// Requests sent minus final responses received; above zero, the peer owes a reply.
    owed: i64,
    consumed: bool,
    last_frame_id: u64,
    /// Lane and ids of the last request, for its response.
    asked: Option<Expected<'static>>,
}

/// Connects to the daemon at `endpoint` within [`DEFAULT_CONNECT_TIMEOUT`].
///
/// # Errors
///
/// [`IpcError::Connect`].
///
/// # Cancel safety
///
/// Cancelling closes the unfinished connection.
pub async fn connect(endpoint: impl Into<Endpoint>) -> Result<IpcConnection, IpcError> {
    let deadline = Instant::now() + DEFAULT_CONNECT_TIMEOUT;
    IpcConnection::connect(&endpoint.into(), deadline).await
}

impl IpcConnection {
    /// Connects to the daemon at `endpoint`, with [`DEFAULT_CLIENT_RECV_TIMEOUT`].
    ///
    /// While the daemon's backlog is full, retries with jitter until `deadline`.
    ///
    /// # Errors
    ///
    /// [`IpcError::Connect`].
    ///
    /// # Cancel safety
    ///
    /// Cancelling closes the unfinished connection.
    pub async fn connect(endpoint: &Endpoint, deadline: Instant) -> Result<Self, IpcError> {
        let mut connection = Self::new(Stream::connect(endpoint, deadline).await?);
        connection.set_recv_timeout(DEFAULT_CLIENT_RECV_TIMEOUT);
        Ok(connection)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Returns a connection over `stream`, without a receive timeout.
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            inbound: Inbound::keeping(KEPT_BY_CLIENTS),
            timer: None,
            recv_timeout: None,
            owed: 0,
            consumed: false,
            last_frame_id: 0,
            asked: None,
        }
    }

    /// Sends `message` on wire v15.
    ///
    /// # Errors
    ///
    /// [`IpcError::Encode`] if `message` has no legal encoding; the connection sent nothing and stays usable.
    /// Any other error consumes the connection.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: a part of the frame may already be written, so cancelling consumes the connection.
    pub async fn send<M: wire_v15::Message>(&mut self, message: &M) -> Result<(), IpcError> {
        self.send_encoded(M::DIRECTION, None, |out| Ok(wire_v15::encode_pieces(message, out)?)).await?;
        self.remember(M::DIRECTION, Lane::V15, "".into(), 0);
        Ok(())
    }

    /// Sends `request` in `dialect` and returns the ids that the reply must carry.
    ///
    /// The inner id is the default of the request's kind (`docs/spec/wire.md#request-ids`).
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// As [`send`](Self::send).
    pub async fn send_request(
        &mut self,
        request: &Request,
        dialect: impl Into<Dialect>,
    ) -> Result<Ids, IpcError> {
        let dialect = dialect.into();
        let (request_id, frame_request_id) = match dialect.lane() {
            Lane::V15 => ("", 0),
            Lane::V16 => (default_request_id(request.kind()), 0),
            Lane::FrameV1 => (default_request_id(request.kind()), self.last_frame_id.wrapping_add(1)),
        };
        let ids = Ids { request_id: request_id.to_owned(), frame_request_id };
        self.send_on(dialect, &ids, FrameKind::Request, request).await?;
        self.remember(Direction::Request, dialect.lane(), request_id.into(), frame_request_id);
        Ok(ids)
    }

    /// Receives one message of wire v15 within the receive timeout.
    ///
    /// Returns `None` if the peer closed the connection between frames.
    ///
    /// # Errors
    ///
    /// [`IpcError`]. An error consumes the connection if the peer owes a reply.
    ///
    /// A body that cannot be decoded is removed, and the next call receives the frame after it. A frame of
    /// another version, or with an illegal length, stays: every later call returns the same error.
    ///
    /// # Cancel safety
    ///
    /// Cancelling loses no bytes, but consumes the connection while the peer owes a reply; see
    /// [`Connection`].
    pub async fn recv<M: wire_v15::Message>(&mut self) -> Result<Option<M>, IpcError> {
        self.recv_v15(self.recv_timeout).await
    }

    /// Receives one message of wire v15 within `limit`, else as [`recv`](Self::recv).
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv), and [`IpcError::TimedOut`].
    ///
    /// # Cancel safety
    ///
    /// As [`recv`](Self::recv).
    pub async fn recv_with_timeout<M: wire_v15::Message>(
        &mut self,
        limit: Duration,
    ) -> Result<Option<M>, IpcError> {
        self.recv_v15(Some(limit)).await
    }

    /// Receives one message of any lane within the receive timeout.
    ///
    /// Returns the message with its lane and ids, or `None` if the peer closed the connection between frames.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv), and [`IpcError::TimedOut`].
    ///
    /// # Cancel safety
    ///
    /// As [`recv`](Self::recv).
    pub async fn recv_wire<M: Message>(&mut self) -> Result<Option<DecodedWireMessage<M>>, IpcError> {
        self.recv_of(Wires::ALL, self.recv_timeout).await
    }

    /// Sets the receive timeout.
    pub fn set_recv_timeout(&mut self, limit: Duration) {
        self.recv_timeout = Some(limit);
    }

    /// Removes the receive timeout: [`recv`](Self::recv) then waits for ever.
    pub fn clear_recv_timeout(&mut self) {
        self.recv_timeout = None;
    }

    /// Returns the receive timeout.
    #[must_use]
    pub const fn recv_timeout(&self) -> Option<Duration> {
        self.recv_timeout
    }

    /// Returns true if an earlier call consumed the connection.
    #[must_use]
    pub const fn is_consumed(&self) -> bool {
        self.consumed
    }

    /// Returns the underlying stream.
    pub const fn stream(&self) -> &S {
        &self.stream
    }

    /// Returns the underlying stream; received bytes that no `recv` returned are lost.
    pub fn into_inner(self) -> S {
        self.stream
    }

    /// Notes a request that was sent, for [`recv_response`](Self::recv_response).
    fn remember(
        &mut self,
        sent: Direction,
        lane: Lane,
        request_id: Cow<'static, str>,
        frame_request_id: u64,
    ) {
        if sent != Direction::Response {
            self.asked = Some(Expected { lane, request_id, frame_request_id });
        }
        if lane == Lane::FrameV1 {
            self.last_frame_id = frame_request_id;
        }
    }

    async fn send_on<M: Message>(
        &mut self,
        dialect: impl Into<Dialect>,
        ids: &Ids,
        kind: FrameKind,
        message: &M,
    ) -> Result<(), IpcError> {
        let ids = (&*ids.request_id, ids.frame_request_id);
        self.send_encoded(M::DIRECTION, None, |out| encode_pieces(message, dialect, ids, kind, out)).await
    }

    /// Sends the pieces that `encode` appends, with one write if they fit.
    async fn send_encoded(
        &mut self,
        direction: Direction,
        limit: Option<Duration>,
        encode: impl FnOnce(&mut Pieces) -> Result<(), EncodeError>,
    ) -> Result<(), IpcError> {
        if self.consumed {
            return Err(IpcError::Consumed);
        }
        let mut pieces = spare::take_pieces();
        encode(&mut pieces)?;
        self.consumed = true;
        let mut written = 0;
        let mut write =
            |cx: &mut Context<'_>| outbound::poll_write(&mut self.stream, &pieces, &mut written, cx);
        // The first write nearly always fits into the socket's buffer, so that no timer is made.
        match (poll_fn(|cx| Poll::Ready(write(cx))).await, limit) {
            (Poll::Ready(written), _) => written?,
            (Poll::Pending, None) => poll_fn(write).await?,
            (Poll::Pending, Some(limit)) => match timeout(limit, poll_fn(write)).await {
                Ok(written) => written?,
                Err(_) => return Err(IpcError::TimedOut(limit)),
            },
        }
        self.consumed = false;
        if direction != Direction::Response {
            self.owed += 1;
        }
        spare::give_pieces(&mut pieces);
        Ok(())
    }

    async fn recv_v15<M: wire_v15::Message>(
        &mut self,
        limit: Option<Duration>,
    ) -> Result<Option<M>, IpcError> {
        let take = |inbound: &mut Inbound| {
            inbound.take_v15().map_err(|error| IpcError::of_decoding(error, Wires::V15))
        };
        self.recv_taken(limit, take, M::DIRECTION, |message: &M| !message.is_interim()).await
    }

    async fn recv_of<M: Message>(
        &mut self,
        wires: Wires,
        limit: Option<Duration>,
    ) -> Result<Option<DecodedWireMessage<M>>, IpcError> {
        let take =
            |inbound: &mut Inbound| inbound.take(wires).map_err(|error| IpcError::of_decoding(error, wires));
        self.recv_taken(limit, take, M::DIRECTION, |received: &DecodedWireMessage<M>| {
            !received.message.is_interim()
        })
        .await
    }

    /// Receives until `take` returns a message, within `limit`.
    ///
    /// `is_final` returns false for a message that settles no request.
    async fn recv_taken<T>(
        &mut self,
        limit: Option<Duration>,
        take: impl Fn(&mut Inbound) -> Result<Option<T>, IpcError>,
        direction: Direction,
        is_final: impl Fn(&T) -> bool,
    ) -> Result<Option<T>, IpcError> {
        if self.consumed {
            return Err(IpcError::Consumed);
        }
        // Stays true if the caller drops this future while the peer owes a reply.
        self.consumed = self.owed > 0;
        let Self { stream, inbound, timer, .. } = self;
        let next = poll_fn(|cx| inbound.poll_next(stream, &take, cx));
        let result = match limit {
            None => next.await,
            Some(limit) => within(timer, limit, next).await.unwrap_or(Err(IpcError::TimedOut(limit))),
        };
        match &result {
            Ok(Some(received)) => {
                if is_final(received) {
                    self.owed = match direction {
                        Direction::Request => self.owed,
                        Direction::Response => (self.owed - 1).max(0),
                        Direction::Either => self.owed - 1,
                    };
                }
                self.consumed = false;
            }
            // The reply that the peer owes could still arrive and would answer the next request.
            _ => self.consumed = self.owed > 0,
        }
        result
    }
}
