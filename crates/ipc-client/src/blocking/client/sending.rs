//! Requests whose answer nobody waits for.

use ipc_connection::{IpcError, spare};
use ipc_model::Request;
use wire_dispatch::{Dialect, FrameKind, encode_pieces};

use super::Client;
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
        let own = (&*ids.request_id, ids.frame_request_id);
        let mut pieces = spare::take_pieces();
        encode_pieces(request, dialect, own, FrameKind::Request, &mut pieces)?;
        let sent = connection.send(&pieces, limits.send());
        spare::give_pieces(&mut pieces);
        sent
    }
}
