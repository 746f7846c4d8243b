//! One request and its final reply, in the client's dialect.

use std::time::Duration;

use ipc_model::{CompileProgress, Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use wire_dispatch::{DecodedWireMessage, Dialect, Ids, Lane, Message, Wires};
use wire_frame::Pieces;
use wire_v15::{Direction, Message as _};

use super::Connection;
use crate::IpcError;
use crate::inbound::{Inbound, Incoming};
use crate::reply::{Expected, of_request};
use crate::timer::after;

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Receives the response to the last request.
    ///
    /// Waits for `limit`, or for the receive timeout without one; no message before the response moves that
    /// deadline. Any `send` method sent the request; the connection remembers its lane and ids. A request in bincode
    /// accepts a reply in bincode or FrameV1; another request accepts a reply on any lane. Skips each
    /// `CompileProgress` before the response. Returns `None` if the peer closed the connection between frames.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv), and [`IpcError::ForeignReply`] if the reply carries the ids of another
    /// request.
    ///
    /// # Cancel safety
    ///
    /// As [`recv`](Self::recv).
    pub async fn recv_response(&mut self, limit: Option<Duration>) -> Result<Option<Response>, IpcError> {
        let limit = limit.or(self.recv_timeout);
        let asked = self.asked.take();
        let none = Expected { lane: Lane::V15, request_id: "".into(), frame_request_id: 0 };
        let reply = self.recv_expected(asked.as_ref().unwrap_or(&none), limit, |_| None).await;
        self.asked = asked;
        Ok(reply?.map(|reply| reply.message))
    }

    /// Reads the last response of a closed connection, which stays consumed.
    pub async fn last_words(&mut self, limit: Duration) -> Option<(Dialect, Response)> {
        self.consumed = false;
        let words = self.recv_of(Wires::ALL, Some(limit)).await;
        self.consumed = true;
        words.ok().flatten().map(|received| (received.dialect(), received.message))
    }

    /// Receives the response to the request with these ids, and its own.
    ///
    /// As [`recv_response`](Self::recv_response), for a caller that keeps the ids itself. `None` as the limit is
    /// no limit. [`recv_reply_telling`](Self::recv_reply_telling) is for a timeout that starts again with progress.
    ///
    /// # Errors
    ///
    /// As [`recv_response`](Self::recv_response).
    ///
    /// # Cancel safety
    ///
    /// As [`recv`](Self::recv).
    pub async fn recv_reply(
        &mut self,
        lane: Lane,
        ids: &Ids,
        limit: Option<Duration>,
    ) -> Result<Option<DecodedWireMessage<Response>>, IpcError> {
        self.recv_reply_telling(lane, ids, limit, |_| None).await
    }

    /// Receives the reply and passes each `CompileProgress` before it to `tell`.
    ///
    /// `tell` returns the timeout that starts at that moment, or `None` if the deadline stays.
    ///
    /// # Errors
    ///
    /// As [`recv_response`](Self::recv_response).
    ///
    /// # Cancel safety
    ///
    /// As [`recv`](Self::recv).
    pub async fn recv_reply_telling(
        &mut self,
        lane: Lane,
        ids: &Ids,
        limit: Option<Duration>,
        tell: impl FnMut(&CompileProgress) -> Option<Duration>,
    ) -> Result<Option<DecodedWireMessage<Response>>, IpcError> {
        self.recv_expected(&Expected::of(lane, ids), limit, tell).await
    }

    async fn recv_expected(
        &mut self,
        expected: &Expected<'_>,
        limit: Option<Duration>,
        mut tell: impl FnMut(&CompileProgress) -> Option<Duration>,
    ) -> Result<Option<DecodedWireMessage<Response>>, IpcError> {
        let wires = if expected.lane == Lane::V15 { Wires::TO_BINCODE } else { Wires::ALL };
        let mut deadline = limit.map(after);
        let mut left = limit;
        loop {
            let received = self
                .recv_taken(
                    left,
                    |inbound| match inbound.take(wires) {
                        Ok(Some(received)) => of_request(expected, received).map(Some),
                        Ok(None) => Ok(None),
                        Err(error) => Err(IpcError::of_decoding(error, wires)),
                    },
                    Direction::Response,
                    |received| !received.message.is_interim(),
                )
                .await?;
            match received {
                Some(DecodedWireMessage { message: Response::CompileProgress(progress), .. }) => {
                    deadline = tell(&progress).map(after).or(deadline);
                    left = deadline.map(|end| end.saturating_duration_since(Instant::now()));
                    if let (Some(Duration::ZERO), Some(limit)) = (left, limit) {
                        // A peer that never pauses would otherwise hold this call for ever.
                        self.consumed = self.owed > 0;
                        return Err(IpcError::TimedOut(limit));
                    }
                }
                received => return Ok(received),
            }
        }
    }

    /// Sends `request` in bincode of this generation, within `limit`.
    ///
    /// Replies in bincode have no ids.
    pub async fn send_bincode(
        &mut self,
        request: &Request,
        generation: wire_v15::Generation,
        limit: Duration,
    ) -> Result<(), IpcError> {
        let encode = |out: &mut Pieces| Ok(wire_v15::encode_pieces_in(request, generation, out)?);
        self.send_encoded(Direction::Request, Some(limit), encode).await
    }

    /// Receives one message, or one frame of another protocol.
    ///
    /// It waits for the receive timeout. The other protocols are those of running-process.
    /// A server of one's own answers such a frame itself, for example an identity probe, and sends the answer
    /// with [`send_frame`](Self::send_frame). Returns `None` if the peer closed the connection between frames.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv), and [`IpcError::TimedOut`].
    ///
    /// # Cancel safety
    ///
    /// As [`recv`](Self::recv).
    pub async fn recv_incoming<M: Message>(&mut self, wires: Wires) -> Result<Option<Incoming<M>>, IpcError> {
        let take = |inbound: &mut Inbound| {
            inbound.take_incoming(wires).map_err(|error| IpcError::of_decoding(error, wires))
        };
        self.recv_taken(self.recv_timeout, take, M::DIRECTION, Incoming::is_final).await
    }

    /// Sends a complete frame of another protocol, such as the answer to a probe.
    ///
    /// # Errors
    ///
    /// [`IpcError::Io`] and [`IpcError::Consumed`].
    ///
    /// # Cancel safety
    ///
    /// As [`send`](Self::send).
    pub async fn send_frame(&mut self, frame: &[u8]) -> Result<(), IpcError> {
        let encode = |out: &mut Pieces| {
            out.copied().extend_from_slice(frame);
            Ok(())
        };
        self.send_encoded(Direction::Response, None, encode).await
    }
}
