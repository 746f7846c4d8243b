//! Answers requests with the store and the sessions.
//!
//! A session with private options is a plain one here: a daemon that was not started private takes no
//! owners, so that no client can make a shared daemon end with its own processes. Options that ask for
//! another endpoint or cache directory than the daemon's are refused as released daemons do.

mod attached;
mod compile;
mod status;

use std::sync::Arc;
use std::time::{Duration, Instant};

use zccache_ipc::model::{
    ArtifactData, Backpressure, LookupResult, NormalizedPath, PrivateDaemonSessionOptions, Request,
    RequestKind, Response, RustArtifactList, SessionStart, SessionStarted, SessionStatsReply,
};

pub use attached::Attached;
use compile::Compiles;

use crate::chain::chain;
use crate::counters::Counters;
use crate::sessions::{Connection, Event, SessionError, Sessions};
use crate::store::{Store, StoreError};
use crate::tool::{self, Tools};
use crate::traffic::Traffic;

/// How long a client should wait when the daemon is over one of its limits.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// What the daemon says about itself.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The release that it announces, `major.minor.patch`.
    pub version: String,
    /// The label of its namespace.
    pub namespace: String,
    /// Where it listens.
    pub endpoint: String,
    /// The root of what it keeps on disk.
    pub cache_dir: NormalizedPath,
}

/// The daemon behind its server.
#[derive(Debug)]
pub struct DaemonService {
    identity: Identity,
    store: Arc<Store>,
    sessions: Arc<Sessions>,
    counters: Arc<Counters>,
    compiles: Compiles,
    traffic: Traffic,
    started: Instant,
}

impl DaemonService {
    /// Makes the service of a daemon that starts now.
    #[must_use]
    pub fn new(identity: Identity, store: Store, sessions: Sessions) -> Self {
        let (store, sessions) = (Arc::new(store), Arc::new(sessions));
        let (counters, traffic) = (Arc::<Counters>::default(), Traffic::default());
        let tools = Arc::new(Tools::new(tool::Limits::default()));
        let compiles = Compiles::new(Arc::clone(&store), Arc::clone(&sessions), Arc::clone(&counters), tools);
        Self { identity, store, sessions, counters, compiles, traffic, started: Instant::now() }
    }

    /// The same service, whose tools have other limits.
    #[must_use]
    pub fn with_tools(mut self, limits: tool::Limits) -> Self {
        let (store, sessions) = (Arc::clone(&self.store), Arc::clone(&self.sessions));
        self.compiles =
            Compiles::new(store, sessions, Arc::clone(&self.counters), Arc::new(Tools::new(limits)));
        self
    }

    /// Which requests the servers have answered.
    pub(crate) const fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// How long the daemon has been there.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// Finishes what is being written, and refuses everything from then on.
    ///
    /// # Cancel safety
    ///
    /// See [`Store::close`].
    pub async fn close(&self) {
        self.store.close().await;
        self.sessions.flush().await;
    }

    async fn answer(&self, request: Request, connection: Connection) -> Response {
        let kind = request.kind();
        match request {
            Request::Ping => Response::Pong,
            Request::Shutdown => Response::ShuttingDown,
            Request::Status => {
                self.log_requests();
                Response::Status(self.status())
            }
            Request::Clear => {
                self.store.clear().await.map_or_else(|error| refused(&error), Response::Cleared)
            }
            Request::Lookup(lookup) => self.lookup(&lookup.cache_key, connection).await,
            Request::Store(store) => self.store(&store.cache_key, store.artifact, connection).await,
            Request::ListRustArtifacts => self.store.rust_artifacts().await.map_or_else(
                |error| refused(&error),
                |artifacts| Response::RustArtifactList(RustArtifactList { artifacts }),
            ),
            Request::SessionStart(start) => self.session_start(&start, connection),
            Request::SessionStats(session) => self.sessions.stats(&session.session_id).map_or_else(
                |error| refused_session(&error),
                |stats| Response::SessionStatsResult(SessionStatsReply { stats }),
            ),
            Request::SessionEnd(session) => self.sessions.end(&session.session_id).await.map_or_else(
                |error| refused_session(&error),
                |stats| Response::SessionEnded(SessionStatsReply { stats }),
            ),
            Request::Compile(compile) => self.compiles.compile(compile).await,
            Request::CompileEphemeral(compile) => self.compiles.compile_ephemeral(compile).await,
            Request::LinkEphemeral(link) => self.compiles.link_ephemeral(link).await,
            Request::FingerprintCheck(_)
            | Request::FingerprintMarkSuccess(_)
            | Request::FingerprintMarkFailure(_)
            | Request::FingerprintInvalidate(_)
            | Request::GenericToolExec(_)
            | Request::ReleaseWorktreeHandles(_) => not_served(kind),
        }
    }

    async fn lookup(&self, key: &str, connection: Connection) -> Response {
        let began = Instant::now();
        let artifact = match self.store.lookup(key).await {
            Ok(artifact) => artifact,
            Err(error) => return refused(&error),
        };
        let hit = artifact.as_ref().map(|artifact| artifact.payload_len() as u64);
        if hit.is_some() { &self.counters.hits } else { &self.counters.misses }.add_one();
        self.sessions.count(Event::Lookup { key, hit }, connection, began.elapsed());
        Response::LookupResult(artifact.map_or(LookupResult::Miss, |artifact| LookupResult::Hit { artifact }))
    }

    async fn store(&self, key: &str, artifact: ArtifactData, connection: Connection) -> Response {
        use zccache_ipc::model::StoreResult;
        let began = Instant::now();
        let len = artifact.payload_len() as u64;
        let result = match self.store.store(key, artifact).await {
            Ok(result) => result,
            Err(error) => return refused(&error),
        };
        let stored = match result {
            StoreResult::Stored => Some(len),
            StoreResult::AlreadyExists => None,
        };
        self.sessions.count(Event::Store { key, stored }, connection, began.elapsed());
        Response::StoreResult(result)
    }

    fn session_start(&self, start: &SessionStart, connection: Connection) -> Response {
        if let Some(mismatch) = start.private_daemon.as_ref().and_then(|options| self.mismatch(options)) {
            return Response::error(mismatch);
        }
        match self.sessions.start(start, connection) {
            Ok(id) => Response::SessionStarted(SessionStarted {
                session_id: id.to_string(),
                journal_path: start.journal_path.clone(),
            }),
            Err(error) => refused_session(&error),
        }
    }

    /// Says in the released words what the options ask for that this daemon is not.
    fn mismatch(&self, options: &PrivateDaemonSessionOptions) -> Option<String> {
        let Identity { endpoint, cache_dir, .. } = &self.identity;
        if let Some(requested) = options.endpoint.as_ref().filter(|requested| *requested != endpoint) {
            return Some(format!(
                "private daemon endpoint mismatch: connected to {endpoint}, requested {requested}"
            ));
        }
        let requested = options.cache_dir.as_ref().filter(|requested| *requested != cache_dir)?;
        Some(format!("private daemon cache dir mismatch: connected to {cache_dir}, requested {requested}"))
    }
}

/// Refuses a family that this daemon does not have.
fn not_served(kind: RequestKind) -> Response {
    Response::error(format!("{kind} is not served by this daemon"))
}

fn refused(error: &StoreError) -> Response {
    match error {
        StoreError::Busy { waiting } => backpressure(*waiting, error.to_string()),
        error => Response::error(chain(error)),
    }
}

fn refused_session(error: &SessionError) -> Response {
    match error {
        SessionError::Full { open } => backpressure(*open, error.to_string()),
        error => Response::error(error.to_string()),
    }
}

fn backpressure(depth: usize, reason: String) -> Response {
    Response::Backpressure(Backpressure {
        queue_depth: u32::try_from(depth).unwrap_or(u32::MAX),
        retry_after_ms: u32::try_from(RETRY_AFTER.as_millis()).expect("a tenth of a second is few of them"),
        reason,
    })
}

#[cfg(test)]
mod tests;
