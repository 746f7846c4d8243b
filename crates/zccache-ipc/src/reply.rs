//! What a reply means to the call that asked, and what a lost one means.

use ipc_model::{Request, RequestKind, Response};
use wire_dispatch::mismatch;
use wire_frame::Version;

use crate::{CallError, IpcError};

/// Turns a response that is not what was asked for into the error that it stands for.
pub(crate) fn not_asked_for(request: RequestKind, response: Response) -> CallError {
    match response {
        Response::Error(error) if mismatch::is_refusal(&error.message) => {
            CallError::VersionRefused { ours: Version::V15, text: error.message }
        }
        Response::Error(error) => CallError::Refused { request, message: error.message },
        Response::Backpressure(pressure) => CallError::Busy(pressure),
        other => CallError::Unexpected { request, answer: other.kind() },
    }
}

/// What follows from a failed attempt.
#[derive(Debug)]
pub(crate) enum AfterFailure {
    /// The daemon closed a connection that had been idle; ask once more on a new one.
    AskAgain,
    /// Tell the caller.
    Fail(CallError),
}

/// Decides whether `request` may be sent again after it failed with `error`.
///
/// `reused` tells whether the connection had served an earlier call: only then can the daemon have
/// closed it before the request. What may have been acted on is sent again only if that is harmless.
pub(crate) fn after_failure(request: &Request, error: IpcError, sent: bool, reused: bool) -> AfterFailure {
    if reused && error.is_disconnect() && (request.is_idempotent() || !sent) {
        return AfterFailure::AskAgain;
    }
    let refused = matches!(error, IpcError::Version { .. } | IpcError::Encode(_) | IpcError::Connect(_));
    if sent && !refused && !request.is_idempotent() {
        return AfterFailure::Fail(CallError::OutcomeUnknown { request: request.kind(), source: error });
    }
    AfterFailure::Fail(error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_harmless_is_sent_again() {
        let check = |request: Request, sent, reused, expected: &str| {
            let actual = match after_failure(&request, IpcError::Closed, sent, reused) {
                AfterFailure::AskAgain => "again",
                AfterFailure::Fail(CallError::OutcomeUnknown { .. }) => "unknown",
                AfterFailure::Fail(_) => "failed",
            };
            assert_eq!(actual, expected, "{} sent {sent} reused {reused}", request.kind());
        };
        check(Request::Ping, true, true, "again");
        check(Request::Ping, true, false, "failed");
        check(Request::Ping, false, true, "again");
        check(Request::Clear, true, true, "unknown");
        check(Request::Clear, true, false, "unknown");
        check(Request::Clear, false, true, "again");
        check(Request::Shutdown, true, true, "unknown");
    }
}
