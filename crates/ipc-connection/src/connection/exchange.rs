//! One request and its final reply, in the client's dialect.

use std::time::Duration;

use ipc_model::{Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use wire_dispatch::{DecodedWireMessage, Dialect, Ids, Lane, Wires};
use wire_frame::Pieces;
use wire_v15::{Direction, Message as _};

use super::Connection;
use crate::IpcError;
use crate::reply::{Expected, of_request};

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Receives the response to a request sent on `lane` with `ids`, within `limit`.
    ///
    /// [`send_request`](Self::send_request) returns the `ids`. A request in bincode accepts a reply in bincode
    /// or FrameV1; another request accepts a reply on any lane. Returns `None` if the peer closed the
    /// connection between frames.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv), and [`IpcError::ForeignReply`] if the reply carries the ids of another
    /// request.
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

    /// Reads the last response of a closed connection, which stays consumed.
    pub async fn last_words(&mut self, limit: Duration) -> Option<(Dialect, Response)> {
        self.consumed = false;
        let words = self.recv_of(Wires::ALL, Some(limit)).await;
        self.consumed = true;
        words.ok().flatten().map(|received| (received.dialect(), received.message))
    }

    /// Receives as [`recv_response`](Self::recv_response), with dialect and ids.
    ///
    /// Skips each `CompileProgress` before the reply and restarts the timeout after it.
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
        let wires = if lane == Lane::V15 { Wires::TO_BINCODE } else { Wires::ALL };
        let expected = Expected::of(lane, ids);
        loop {
            let received = self
                .recv_taken(
                    limit,
                    |inbound| match inbound.take(wires) {
                        Ok(Some(received)) => of_request(&expected, received).map(Some),
                        Ok(None) => Ok(None),
                        Err(error) => Err(IpcError::of_decoding(error, wires)),
                    },
                    |received| &received.message,
                )
                .await?;
            if !received.as_ref().is_some_and(|received| received.message.is_interim()) {
                return Ok(received);
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
}
