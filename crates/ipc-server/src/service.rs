//! The service that answers a server's requests.

use std::future::Future;

use ipc_model::{Backpressure, Request, RequestKind, Response, ResponseKind};
use ipc_os::Peer;
use wire_frame::Version;

use crate::server::ReplyMemory;

/// Answers requests, whichever wire they came on.
///
/// A server calls it for one request of a connection at a time, and for several connections concurrently.
pub trait Service: Send + Sync + 'static {
    /// Answers one request.
    ///
    /// After the server has sent [`Response::ShuttingDown`], it stops.
    ///
    /// # Cancel safety
    ///
    /// The server drops the future when the client closes its connection, unless
    /// [`ServerConfig::calls_outlive_clients`](crate::ServerConfig::calls_outlive_clients) is set, and when the
    /// drain exceeds its limit. Run work that must complete even then in a task of its own.
    fn call(&self, request: Request, caller: &Caller) -> impl Future<Output = Response> + Send;

    /// Handles a reply that the server has written to the connection.
    ///
    /// The server calls it once for each answered request, in order, and waits for it: return quickly. A reply
    /// that could not be written is not reported. `response` is the kind that the service returned.
    fn replied(&self, _caller: &Caller, _request: RequestKind, _response: ResponseKind) {}

    /// Handles the end of a connection, after its last call.
    fn disconnected(&self, _connection: ConnectionId) {}

    /// Handles the refusal of a peer whose version this server does not speak.
    ///
    /// Any peer can cause this call at any rate, and the server waits for it: return quickly.
    fn version_refused(&self, _received: Version) {}
}

/// The client of a request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Connection that carried the request.
    pub connection: ConnectionId,
    /// Process of the client, which runs as this user.
    pub peer: Peer,
    pub(crate) memory: ReplyMemory,
}

impl Caller {
    /// Reserves `bytes` of the memory budget for the reply to the current request.
    ///
    /// A service calls it before it reads a large part of its reply into memory. The server keeps the
    /// reservation until the client has taken the reply. A second call replaces the first reservation.
    ///
    /// Waits for room, at most [`ServerConfig::frame_timeout`](crate::ServerConfig::frame_timeout), unless the
    /// request itself holds memory of the budget.
    ///
    /// # Errors
    ///
    /// The reply for the client, if the budget has no room. The service must not have acted on the request.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future reserves nothing.
    pub async fn reserve_reply(&self, bytes: usize) -> Result<(), Backpressure> {
        self.memory.reserve(bytes).await
    }

    /// Extends the reservation of the current request to `bytes` in all.
    ///
    /// For memory whose size is known only as it grows. It needs room now and never waits, because the request holds memory. The
    /// server frees the reservation as after [`reserve_reply`](Self::reserve_reply).
    ///
    /// # Errors
    ///
    /// An overload, if the budget has no room; the reservation stays as it was. It is a reply only if the service has
    /// not acted on the request.
    pub fn reserve_more(&self, bytes: usize) -> Result<(), Backpressure> {
        self.memory.extend(bytes)
    }
}

/// Id of a server's connection, unique within the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub(crate) u64);

impl ConnectionId {
    /// Returns an id with this number, for tests of services.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }
}
