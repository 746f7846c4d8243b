//! Frames of other protocols on the same endpoint.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;

/// Answers frames of one other protocol of running-process.
///
/// Such frames may arrive between requests. The server answers the frames and requests of a connection in
/// the order of their arrival. A frame for an extension does not count as a request and does not reset the
/// idle timeout.
pub trait Extension: fmt::Debug + Send + Sync + 'static {
    /// Returns the protocol's number in the envelope.
    fn protocol(&self) -> u32;

    /// Returns the complete reply frame for an envelope, within a bounded time.
    ///
    /// `envelope` has neither the framing byte nor the length. After `None` the server refuses the frame as
    /// an unknown protocol and closes the connection.
    ///
    /// # Cancel safety
    ///
    /// The server drops the future when it aborts the connection.
    fn answer(&self, envelope: Bytes) -> Pin<Box<dyn Future<Output = Option<Bytes>> + Send + '_>>;
}
