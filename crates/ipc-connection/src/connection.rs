//! One connection that carries messages.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use ipc_model::{Request, Response};
use ipc_os::{Endpoint, Stream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use wire_dispatch::{
    DecodedWireMessage, Dialect, EncodeError, FrameKind, Ids, Lane, Message, Wires, encode_pieces,
};
use wire_frame::Pieces;
use wire_v16::default_request_id;

use crate::inbound::{Inbound, KEPT_BY_CLIENTS};
use crate::timer::{Timer, within};
use crate::{IpcError, outbound, spare};

mod exchange;

/// How long a client waits for a reply unless it says otherwise, as the released clients do.
pub const DEFAULT_CLIENT_RECV_TIMEOUT: Duration = Duration::from_secs(300);

/// How long a client tries to connect unless it says otherwise.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection to or from a daemon.
pub type IpcConnection = Connection<Stream>;

/// A connection over any byte stream, carrying messages of every lane.
///
/// [`send`](Self::send) and [`recv`](Self::recv) speak wire v15 alone, as the oldest releases do;
/// [`send_request`](Self::send_request), [`recv_wire`](Self::recv_wire) and their kin speak all lanes.
///
/// Frames above 16 MiB are refused on both sides, before they are sent or buffered.
///
/// # Cancel safety
///
/// v15 has no ids, and a late reply of any lane would come before the next one. Therefore a
/// [`send`](Self::send) that is cancelled or fails, and a [`recv`](Self::recv) that times out, fails or
/// is cancelled while a reply is owed, use the connection up: every later call is
/// [`IpcError::Consumed`]. A `recv` that is cancelled while nothing is owed (a server between requests)
/// loses nothing: what has arrived stays for the next.
#[derive(Debug)]
pub struct Connection<S> {
    stream: S,
    inbound: Inbound,
    /// From the second reply on: a connection for one call has no use for it.
    timer: Option<Timer>,
    recv_timeout: Option<Duration>,
    /// Messages sent minus messages received: above zero, the peer owes us a reply.
    owed: i64,
    consumed: bool,
    last_frame_id: u64,
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
    let deadline = Instant::now() + DEFAULT_CONNECT_TIMEOUT;
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
            inbound: Inbound::keeping(KEPT_BY_CLIENTS),
            timer: None,
            recv_timeout: None,
            owed: 0,
            consumed: false,
            last_frame_id: 0,
        }
    }

    /// Sends `message` on wire v15.
    ///
    /// # Errors
    ///
    /// [`IpcError::Encode`] where it cannot be sent; nothing was, and the connection stays usable. Any
    /// other error uses the connection up.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: a part of the frame may have been written, so cancelling uses the connection up.
    pub async fn send<M: wire_v15::Message>(&mut self, message: &M) -> Result<(), IpcError> {
        self.send_encoded(None, |out| Ok(wire_v15::encode_pieces(message, out)?)).await
    }

    /// Sends `message` on wire v16 with this id.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// As [`send`](Self::send).
    pub async fn send_prost<M: Message>(
        &mut self,
        message: &M,
        request_id: impl Into<String>,
    ) -> Result<(), IpcError> {
        let ids = Ids { request_id: request_id.into(), frame_request_id: 0 };
        self.send_on(Lane::V16, &ids, FrameKind::Request, message).await
    }

    /// Sends `request` in a running-process frame and returns the frame's id: 1 for the first one of the
    /// connection, then one more each time.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// As [`send`](Self::send).
    pub async fn send_frame_v1_request(
        &mut self,
        request: &Request,
        request_id: impl Into<String>,
    ) -> Result<u64, IpcError> {
        let frame_request_id = self.last_frame_id.wrapping_add(1);
        let ids = Ids { request_id: request_id.into(), frame_request_id };
        self.send_on(Lane::FrameV1, &ids, FrameKind::Request, request).await?;
        self.last_frame_id = frame_request_id;
        Ok(frame_request_id)
    }

    /// Sends `response` in a running-process frame with the ids of its request.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// As [`send`](Self::send).
    pub async fn send_frame_v1_response(&mut self, response: &Response, ids: &Ids) -> Result<(), IpcError> {
        self.send_on(Lane::FrameV1, ids, FrameKind::Response, response).await
    }

    /// Sends `request` in `dialect` with its default id (`docs/spec/wire.md#request-ids`), and returns the ids
    /// that the reply must carry.
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
        let lane = dialect.lane();
        let request_id = || default_request_id(request.kind()).to_owned();
        let ids = match lane {
            Lane::V15 => Ids::default(),
            Lane::V16 => Ids { request_id: request_id(), frame_request_id: 0 },
            Lane::FrameV1 => {
                Ids { request_id: request_id(), frame_request_id: self.last_frame_id.wrapping_add(1) }
            }
        };
        self.send_on(dialect, &ids, FrameKind::Request, request).await?;
        if lane == Lane::FrameV1 {
            self.last_frame_id = ids.frame_request_id;
        }
        Ok(ids)
    }

    /// Receives one message of wire v15 within the default timeout; `None` when the peer has closed
    /// between frames.
    ///
    /// # Errors
    ///
    /// [`IpcError`]; all but [`IpcError::Consumed`] use the connection up.
    ///
    /// # Cancel safety
    ///
    /// Cancelling loses no bytes, but uses the connection up when a reply is owed; see [`Connection`].
    pub async fn recv<M: wire_v15::Message>(&mut self) -> Result<Option<M>, IpcError> {
        self.recv_v15(self.recv_timeout).await
    }

    /// Receives one message of wire v15 within `limit`; `None` when the peer has closed between frames.
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

    /// Receives one message of any lane within the default timeout, with its lane and ids; `None` when
    /// the peer has closed between frames.
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

    /// Receives the response to what [`send_request`](Self::send_request) sent on `lane` with `ids`,
    /// within `limit`; `None` when the peer has closed between frames.
    ///
    /// After bincode, a reply in protobuf with a header is an error; otherwise a reply may come on any lane.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv), and [`IpcError::ForeignReply`] where the ids are those of another request.
    ///
    /// # Cancel safety
    ///
    /// As [`recv`](Self::recv).
    pub async fn recv_response(
        &mut self,
        lane: Lane,
        ids: &Ids,
        limit: Option<Duration>,
    ) -> Result<Option<Response>, IpcError> {
        Ok(self.recv_reply(lane, ids, limit).await?.map(|reply| reply.message))
    }

    /// Reads what a peer said before it closed on us while we were sending; the connection stays used up.
    pub async fn last_words(&mut self, limit: Duration) -> Option<(Dialect, Response)> {
        self.consumed = false;
        let words = self.recv_of(Wires::ALL, Some(limit)).await;
        self.consumed = true;
        words.ok().flatten().map(|received| (received.dialect(), received.message))
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

    async fn send_on<M: Message>(
        &mut self,
        dialect: impl Into<Dialect>,
        ids: &Ids,
        kind: FrameKind,
        message: &M,
    ) -> Result<(), IpcError> {
        let ids = (&*ids.request_id, ids.frame_request_id);
        self.send_encoded(None, |out| encode_pieces(message, dialect, ids, kind, out)).await
    }

    /// Sends what `encode` appends, with one write.
    async fn send_encoded(
        &mut self,
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
        // Nearly always it fits into the socket, and no timer is made.
        match (poll_fn(|cx| Poll::Ready(write(cx))).await, limit) {
            (Poll::Ready(written), _) => written?,
            (Poll::Pending, None) => poll_fn(write).await?,
            (Poll::Pending, Some(limit)) => match timeout(limit, poll_fn(write)).await {
                Ok(written) => written?,
                Err(_) => return Err(IpcError::TimedOut(limit)),
            },
        }
        self.consumed = false;
        self.owed += 1;
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
        self.recv_taken(limit, take).await
    }

    async fn recv_of<M: Message>(
        &mut self,
        wires: Wires,
        limit: Option<Duration>,
    ) -> Result<Option<DecodedWireMessage<M>>, IpcError> {
        let take =
            |inbound: &mut Inbound| inbound.take(wires).map_err(|error| IpcError::of_decoding(error, wires));
        self.recv_taken(limit, take).await
    }

    /// Receives what `take` takes off, within `limit`.
    async fn recv_taken<T>(
        &mut self,
        limit: Option<Duration>,
        take: impl Fn(&mut Inbound) -> Result<Option<T>, IpcError>,
    ) -> Result<Option<T>, IpcError> {
        if self.consumed {
            return Err(IpcError::Consumed);
        }
        // Stays so when this future is dropped while a reply is owed.
        self.consumed = self.owed > 0;
        let Self { stream, inbound, timer, .. } = self;
        let next = poll_fn(|cx| inbound.poll_next(stream, &take, cx));
        let result = match limit {
            None => next.await,
            Some(limit) => within(timer, limit, next).await.unwrap_or(Err(IpcError::TimedOut(limit))),
        };
        self.consumed = !matches!(result, Ok(Some(_)));
        if !self.consumed {
            self.owed -= 1;
        }
        result
    }
}
