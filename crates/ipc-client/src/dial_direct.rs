//! Making connections in a build without the broker lane: directly.

use std::time::Instant;

use ipc_endpoint::Endpoint;
use ipc_os::{Stream, blocking};

use crate::ClientConfig;
use ipc_connection::IpcError;

/// How a client makes its connections.
#[derive(Debug, Clone)]
pub(crate) struct Dialer;

impl Dialer {
    pub(crate) const fn new(_: &ClientConfig) -> Self {
        Self
    }

    pub(crate) const fn may_lead_elsewhere(&self) -> bool {
        false
    }

    pub(crate) async fn dial(&self, endpoint: &Endpoint, deadline: Instant) -> Result<Stream, IpcError> {
        Ok(Stream::connect(endpoint, deadline).await?)
    }

    pub(crate) fn dial_blocking(
        &self,
        endpoint: &Endpoint,
        deadline: Instant,
    ) -> Result<blocking::Stream, IpcError> {
        Ok(blocking::Stream::connect(endpoint, deadline)?)
    }
}
