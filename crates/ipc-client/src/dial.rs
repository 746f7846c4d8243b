//! Makes connections: by a detour if the caller chose one, else directly.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use ipc_connection::IpcError;
use ipc_endpoint::Endpoint;
use ipc_os::{Stream, blocking};

/// A route to a daemon that is tried before its own endpoint; the broker lane is the only one.
pub(crate) trait Detour: Debug + Send + Sync {
    /// Returns a connection, or `None` if the client should connect to the endpoint itself.
    fn dial(&self, deadline: Instant) -> Pin<Box<dyn Future<Output = Option<Stream>> + Send + '_>>;

    /// Does the same on the calling thread.
    fn dial_blocking(&self, deadline: Instant) -> Option<blocking::Stream>;
}

/// Makes the connections of one client.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dialer {
    pub(crate) detour: Option<Arc<dyn Detour>>,
}

impl Dialer {
    /// Returns true if a connection may lead to another daemon than the one at the endpoint.
    pub(crate) const fn may_lead_elsewhere(&self) -> bool {
        self.detour.is_some()
    }

    pub(crate) async fn dial(&self, endpoint: &Endpoint, deadline: Instant) -> Result<Stream, IpcError> {
        if let Some(detour) = &self.detour
            && let Some(stream) = detour.dial(deadline).await
        {
            return Ok(stream);
        }
        Ok(Stream::connect(endpoint, deadline).await?)
    }

    pub(crate) fn dial_blocking(
        &self,
        endpoint: &Endpoint,
        deadline: Instant,
    ) -> Result<blocking::Stream, IpcError> {
        if let Some(detour) = &self.detour
            && let Some(stream) = detour.dial_blocking(deadline)
        {
            return Ok(stream);
        }
        Ok(blocking::Stream::connect(endpoint, deadline)?)
    }
}
