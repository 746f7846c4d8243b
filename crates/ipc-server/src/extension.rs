//! Frames of other protocols on the same endpoint.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;

/// Answers the frames of one other protocol of running-process that arrive between requests.
///
/// Those of one connection are answered in their place: after what came before, and before what comes after.
/// They count neither as requests nor against idleness.
pub trait Extension: fmt::Debug + Send + Sync + 'static {
    /// The protocol's number in the envelope.
    fn protocol(&self) -> u32;

    /// Answers an envelope (without the framing byte and the length) with the whole frame to send back, within a
    /// bounded time. `None` refuses it: the server says that it does not speak this, and closes the connection.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped when the connection is cut off.
    fn answer(&self, envelope: Bytes) -> Pin<Box<dyn Future<Output = Option<Bytes>> + Send + '_>>;
}
