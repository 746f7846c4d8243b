//! What a server does with a request.

use std::future::Future;

use ipc_model::{Request, Response};
use ipc_os::Peer;
use wire_frame::Version;

/// Answers requests; knows nothing of wires.
///
/// Requests of one connection arrive one after another, those of different connections at once.
pub trait Service: Send + Sync + 'static {
    /// Answers one request. [`Response::ShuttingDown`] also stops the server, once it has been sent.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped when the caller has closed its connection, and when the drain after a shutdown
    /// takes too long. What must not stop half-way belongs in a task of its own.
    fn call(&self, request: Request, caller: &Caller) -> impl Future<Output = Response> + Send;

    /// Is told that a connection has ended, after its last call.
    fn disconnected(&self, _connection: ConnectionId) {}

    /// Is told that a peer has spoken a version that this server does not, and was refused.
    ///
    /// Any peer can make it happen as often as it likes, and the server waits for it.
    fn version_refused(&self, _received: Version) {}
}

/// Who asks.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The connection that the request came on.
    pub connection: ConnectionId,
    /// The process at its other end, of our own user.
    pub peer: Peer,
}

/// One connection of a server, never used twice in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub(crate) u64);

impl ConnectionId {
    /// Makes an id, for tests of services.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }
}
