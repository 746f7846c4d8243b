//! Round trips of the control slice, as zccache's command line makes them.
//!
//! Rule: `docs/spec/wire.md#control-slice`.

use std::time::Duration;

use ipc_endpoint::Endpoint;
use ipc_model::{NormalizedPath, ReleaseWorktreeHandles, Request, Response};
use wire_dispatch::WirePolicy;
use wire_v16::control;

use crate::{CallError, Client, ClientConfig};

/// A request about the daemon itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DaemonControlRequest {
    /// Are you there?
    Ping,
    /// How are you?
    Status,
    /// Finish what is in flight and exit.
    Shutdown,
    /// Forget everything that is cached.
    Clear,
}

impl From<DaemonControlRequest> for Request {
    fn from(request: DaemonControlRequest) -> Self {
        match request {
            DaemonControlRequest::Ping => Self::Ping,
            DaemonControlRequest::Status => Self::Status,
            DaemonControlRequest::Shutdown => Self::Shutdown,
            DaemonControlRequest::Clear => Self::Clear,
        }
    }
}

/// Connects, makes one control request and returns the daemon's answer; an `Error` response is one.
///
/// With [`WirePolicy::Auto`] a daemon that speaks v15 only is asked again in v15. The reply may take
/// `timeout`, or [`DEFAULT_CLIENT_RECV_TIMEOUT`](crate::DEFAULT_CLIENT_RECV_TIMEOUT).
///
/// # Errors
///
/// [`CallError`]; [`CallError::OutcomeUnknown`] for a `Clear` or `Shutdown` whose answer is lost, which is
/// never sent again, and [`CallError::Unexpected`] for an answer outside of the control slice.
///
/// # Cancel safety
///
/// Whether the daemon acted on a cancelled request is not known.
pub async fn daemon_control_roundtrip(
    endpoint: impl Into<Endpoint>,
    request: DaemonControlRequest,
    policy: WirePolicy,
    timeout: Option<Duration>,
) -> Result<Response, CallError> {
    roundtrip(endpoint.into(), &request.into(), policy, timeout).await
}

/// Connects, asks the daemon to let go of everything under `path`, and returns its answer.
///
/// # Errors
///
/// As [`daemon_control_roundtrip`].
///
/// # Cancel safety
///
/// As [`daemon_control_roundtrip`].
pub async fn release_handles_roundtrip(
    endpoint: impl Into<Endpoint>,
    path: impl Into<NormalizedPath>,
    policy: WirePolicy,
    timeout: Option<Duration>,
) -> Result<Response, CallError> {
    let request = Request::ReleaseWorktreeHandles(ReleaseWorktreeHandles { path: path.into() });
    roundtrip(endpoint.into(), &request, policy, timeout).await
}

async fn roundtrip(
    endpoint: Endpoint,
    request: &Request,
    policy: WirePolicy,
    timeout: Option<Duration>,
) -> Result<Response, CallError> {
    let mut config = ClientConfig::new().wire(policy);
    if let Some(limit) = timeout {
        config = config.reply_timeout(limit);
    }
    let response = Client::new(endpoint, config).call(request).await?;
    // Backpressure is no part of the released slice, and says what none of its members can.
    if control::accepts_response(response.kind()) || matches!(response, Response::Backpressure(_)) {
        Ok(response)
    } else {
        Err(CallError::Unexpected { request: request.kind(), answer: response.kind() })
    }
}
