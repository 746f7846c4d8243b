//! Messages in bincode under the number of any release.

use tokio::io::{AsyncRead, AsyncWrite};
use wire_dispatch::{Lane, Wires};
use wire_v15::Generation;

use super::Connection;
use crate::IpcError;
use crate::inbound::Inbound;

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Sends `message` in bincode under the number of `generation`.
    ///
    /// A released download daemon answers the number of its own release only.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), also for a message that the generation does not have.
    ///
    /// # Cancel safety
    ///
    /// As [`send`](Self::send).
    pub async fn send_in<M: wire_v15::Message>(
        &mut self,
        message: &M,
        generation: Generation,
    ) -> Result<(), IpcError> {
        let encode = |out: &mut _| Ok(wire_v15::encode_pieces_in(message, generation, out)?);
        self.send_encoded(M::DIRECTION, None, encode).await?;
        self.remember(M::DIRECTION, Lane::V15, "".into(), 0);
        Ok(())
    }

    /// Receives one message in bincode under any number, within the receive timeout.
    ///
    /// Returns the message with the generation of its number, or `None` if the peer closed the connection
    /// between frames.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv), and [`IpcError::TimedOut`].
    ///
    /// # Cancel safety
    ///
    /// As [`recv`](Self::recv).
    pub async fn recv_bincode<M: wire_v15::Message>(&mut self) -> Result<Option<(Generation, M)>, IpcError> {
        let take = |inbound: &mut Inbound| {
            let taken = inbound.cut_bincode().and_then(|cut| {
                cut.map(|(generation, body)| Ok((generation, wire_v15::decode_in(&body, generation)?)))
                    .transpose()
            });
            taken.map_err(|error| IpcError::of_decoding(error, Wires::BINCODE))
        };
        let is_final = |(_, message): &(Generation, M)| !message.is_interim();
        self.recv_taken(self.recv_timeout, take, M::DIRECTION, is_final).await
    }
}
