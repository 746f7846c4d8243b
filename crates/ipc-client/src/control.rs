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
    /// Asks for a sign of life.
    Ping,
    /// Asks for the daemon's statistics.
    Status,
    /// Finish the requests in progress and exit.
    Shutdown,
    /// Delete everything in the cache.
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

/// Connects, makes one control request and returns the daemon's answer.
///
/// An `Error` response is an answer. With [`WirePolicy::Auto`] the client asks again in v15 if the daemon
/// speaks v15 only. The reply timeout is `timeout`, or
/// [`DEFAULT_CLIENT_RECV_TIMEOUT`](crate::DEFAULT_CLIENT_RECV_TIMEOUT).
///
/// # Errors
///
/// [`CallError`]; [`CallError::OutcomeUnknown`] for a `Clear` or `Shutdown` whose answer is lost, which the
/// client never sends again, and [`CallError::Unexpected`] for an answer outside of the control slice.
///
/// # Cancel safety
///
/// The daemon may or may not have acted on a cancelled request.
pub async fn daemon_control_roundtrip(
    endpoint: impl Into<Endpoint>,
    request: DaemonControlRequest,
    policy: WirePolicy,
    timeout: Option<Duration>,
) -> Result<Response, CallError> {
    roundtrip(&Client::new(endpoint, config(policy, timeout)), &request.into()).await
}

/// Makes one control request by way of the broker lane.
///
/// Otherwise it does the same as [`daemon_control_roundtrip`].
/// A failure of the lane is no error: the request then goes to `endpoint`.
///
/// # Errors
///
/// As [`daemon_control_roundtrip`].
///
/// # Cancel safety
///
/// As [`daemon_control_roundtrip`].
#[cfg(feature = "running-process")]
pub async fn daemon_control_roundtrip_by(
    lane: &crate::BrokerLane,
    endpoint: impl Into<Endpoint>,
    request: DaemonControlRequest,
    policy: WirePolicy,
    timeout: Option<Duration>,
) -> Result<Response, CallError> {
    let client = Client::with_broker_lane(endpoint, config(policy, timeout), lane.clone());
    roundtrip(&client, &request.into()).await
}

/// Connects, asks the daemon to close its handles under `path`, returns the answer.
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
    roundtrip(&Client::new(endpoint, config(policy, timeout)), &request).await
}

fn config(policy: WirePolicy, timeout: Option<Duration>) -> ClientConfig {
    let config = ClientConfig::new().wire(policy);
    timeout.map_or(config, |limit| config.reply_timeout(limit))
}

async fn roundtrip(client: &Client, request: &Request) -> Result<Response, CallError> {
    let response = client.call(request).await?;
    // Backpressure is not part of the released slice, and no member of the slice has its meaning.
    if control::accepts_response(response.kind()) || matches!(response, Response::Backpressure(_)) {
        Ok(response)
    } else {
        Err(CallError::Unexpected { request: request.kind(), answer: response.kind() })
    }
}
