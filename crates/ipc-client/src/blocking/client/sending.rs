//! Requests on their way to the daemon.

use std::io::{IoSlice, Write as _};
use std::time::Duration;

use bytes::Buf as _;
use ipc_connection::{IpcError, spare};
use ipc_model::Request;
use ipc_os::deadline_after;
use wire_dispatch::{Dialect, FrameKind, Ids, encode_pieces};
use wire_frame::Pieces;

use super::{Client, Connection};
use crate::blocking::{again_or, remaining};
use crate::config::Limits;

impl Client {
    /// Sends `request`, and closes the connection without waiting for an answer.
    ///
    /// The request goes over the connection of the last call, or over a new one, in the first dialect that the
    /// client's policy allows. A daemon reads what was sent before it learns that the connection is closed.
    ///
    /// # Errors
    ///
    /// [`IpcError`] if no daemon can be reached, or the request cannot be sent. The daemon may still refuse it.
    pub fn tell(&mut self, request: &Request) -> Result<(), IpcError> {
        let limits = Limits::begin(&self.config);
        let dialect = Dialect::from(self.config.wire.first());
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.dial(&limits)?,
        };
        let ids = connection.ids(request, dialect.lane());
        connection.send_request(request, dialect, &ids, &limits)
    }
}

impl Connection {
    /// Sends `request`. A daemon that closes the connection meanwhile may have sent its reason before.
    pub(super) fn send_request(
        &mut self,
        request: &Request,
        dialect: Dialect,
        ids: &Ids,
        limits: &Limits,
    ) -> Result<(), IpcError> {
        let mut pieces = spare::take_pieces();
        let own = (&*ids.request_id, ids.frame_request_id);
        encode_pieces(request, dialect, own, FrameKind::Request, &mut pieces)?;
        let sent = self.send(&pieces, limits.send());
        spare::give_pieces(&mut pieces);
        sent
    }

    fn send(&mut self, pieces: &Pieces, limit: Duration) -> Result<(), IpcError> {
        let mut unsent = pieces.unsent();
        // A request that fits into the socket's buffer needs no timeout, and nearly every request fits.
        if let Some(slice) = pieces.as_slice() {
            match self.stream.write_now(slice) {
                Ok(written) => unsent.advance(written),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => again_or(error, limit)?,
            }
        }
        let deadline = deadline_after(limit);
        while unsent.has_remaining() {
            self.stream.set_write_timeout(Some(remaining(deadline, limit)?))?;
            let mut slices = [IoSlice::new(&[]); 16];
            let count = unsent.chunks_vectored(&mut slices);
            match self.stream.write_vectored(&slices[..count]) {
                Ok(0) => return Err(IpcError::Closed),
                Ok(written) => unsent.advance(written),
                Err(error) => again_or(error, limit)?,
            }
        }
        Ok(())
    }
}
