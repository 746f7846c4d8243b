//! Session start, figures and end.

use std::sync::Arc;

use zccache_ipc::model::{PrivateDaemonSessionOptions, Response, SessionStart, SessionStarted};

use super::{Identity, refusal};
use crate::sessions::{ConnectionKey, Sessions};

/// Sessions as clients ask for them.
///
/// Only a daemon that was started private takes the owners of private options, so that no client can make a
/// shared daemon end with its own processes; their variables hold for the session everywhere. Options that
/// ask for another endpoint or cache directory than the daemon's are refused as released daemons do.
#[derive(Debug)]
pub(super) struct Builds {
    identity: Arc<Identity>,
    sessions: Arc<Sessions>,
}

impl Builds {
    pub(super) const fn new(identity: Arc<Identity>, sessions: Arc<Sessions>) -> Self {
        Self { identity, sessions }
    }

    pub(super) fn start(&self, start: &SessionStart, connection: ConnectionKey) -> Response {
        if let Some(mismatch) = start.private_daemon.as_ref().and_then(|options| self.mismatch(options)) {
            return Response::error(mismatch);
        }
        match self.sessions.start(start, connection) {
            Ok(id) => Response::SessionStarted(SessionStarted {
                session_id: id.to_string(),
                journal_path: start.journal_path.clone(),
            }),
            Err(error) => refusal::by_sessions(&error),
        }
    }

    pub(super) fn stats(&self, id: &str) -> Response {
        self.sessions.stats(id).map_or_else(
            |error| refusal::by_sessions(&error),
            |stats| Response::SessionStatsResult(stats.into()),
        )
    }

    pub(super) async fn end(&self, id: &str) -> Response {
        self.sessions
            .end(id)
            .await
            .map_or_else(|error| refusal::by_sessions(&error), |stats| Response::SessionEnded(stats.into()))
    }

    /// Names, in the released words, the requested options that this daemon does not have.
    fn mismatch(&self, options: &PrivateDaemonSessionOptions) -> Option<String> {
        let Identity { endpoint, cache_dir, .. } = &*self.identity;
        if let Some(requested) = options.endpoint.as_ref().filter(|requested| *requested != endpoint) {
            return Some(format!(
                "private daemon endpoint mismatch: connected to {endpoint}, requested {requested}"
            ));
        }
        let requested = options.cache_dir.as_ref().filter(|requested| *requested != cache_dir)?;
        Some(format!("private daemon cache dir mismatch: connected to {cache_dir}, requested {requested}"))
    }
}
