//! The service attached to one server.

use std::sync::Arc;

use zccache_ipc::endpoint::{View, view_of};
use zccache_ipc::model::{Request, Response};
use zccache_ipc::wire_frame::Version;
use zccache_ipc::{Caller, ConnectionId, Service};

use super::DaemonService;
use crate::Mismatches;
use crate::sessions::ConnectionKey;

/// The daemon's one service, attached to one of its servers.
///
/// A daemon whose socket was removed gets another server while the old one drains, and the two count
/// their connections from the same number.
#[derive(Debug, Clone)]
pub struct Attached {
    service: Arc<DaemonService>,
    mismatches: Arc<Mismatches>,
    server: u64,
}

impl Attached {
    /// Attaches `service` to the server of that number, which no other one has.
    #[must_use]
    pub const fn new(service: Arc<DaemonService>, mismatches: Arc<Mismatches>, server: u64) -> Self {
        Self { service, mismatches, server }
    }
}

/// The answer to a caller for whom a path may lead to another file than for the daemon.
const OTHER_FILES: &str = "the caller is in another mount namespace or root directory than the daemon";

/// Returns true for a request to run a program on files of the caller.
const fn runs_a_tool(request: &Request) -> bool {
    matches!(
        request,
        Request::Compile(_)
            | Request::CompileEphemeral(_)
            | Request::LinkEphemeral(_)
            | Request::GenericToolExec(_)
    )
}

impl Service for Attached {
    async fn call(&self, request: Request, caller: &Caller) -> Response {
        if runs_a_tool(&request) && caller.peer.pid().is_some_and(|pid| view_of(pid) == View::Other) {
            return Response::error(OTHER_FILES);
        }
        let connection = ConnectionKey { server: self.server, id: caller.connection };
        self.service.answer(request, connection, Some(caller)).await
    }

    fn disconnected(&self, connection: ConnectionId) {
        self.service.sessions.disconnected(ConnectionKey { server: self.server, id: connection });
    }

    fn version_refused(&self, received: Version) {
        self.service.traffic().version_refused(received.0);
        self.mismatches.record(received);
    }
}
