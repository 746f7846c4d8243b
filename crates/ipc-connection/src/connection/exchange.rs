//! One request and its final reply, in the client's dialect.

use std::time::Duration;

use ipc_model::{Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use wire_dispatch::{DecodedWireMessage, Ids, Lane, Wires};
use wire_frame::Pieces;

use super::Connection;
use crate::IpcError;
use crate::reply::{Expected, of_request};

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
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
                .recv_taken(limit, |inbound| match inbound.take(wires) {
                    Ok(Some(received)) => of_request(&expected, received).map(Some),
                    Ok(None) => Ok(None),
                    Err(error) => Err(IpcError::of_decoding(error, wires)),
                })
                .await?;
            match received {
                Some(DecodedWireMessage { message: Response::CompileProgress(_), .. }) => {
                    self.owed += 1; // The peer still owes the reply.
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
        self.send_encoded(Some(limit), encode).await
    }
}
