//! Answers requests: one service for each concern, all on the same store and sessions.
//!
//! Each knows requests and responses of the model, and nothing of wires or connections but whose they are.

mod artifacts;
mod attached;
mod builds;
mod compile;
mod control;
mod exec;
mod fingerprint;
mod handles;
mod operator;
mod refusal;
mod shelf;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use zccache_ipc::Caller;
use zccache_ipc::model::{NormalizedPath, Request, Response};

use artifacts::Artifacts;
pub use attached::Attached;
use builds::Builds;
use compile::Compiles;
use control::Control;
use exec::Execs;
use fingerprint::Fingerprints;
use handles::Handles;
pub use operator::Facts;
use shelf::Shelves;

use crate::counters::Counters;
use crate::sessions::{ConnectionKey, Sessions};
use crate::store::Store;
use crate::tool::{self, Tools};
use crate::traffic::Traffic;

/// The release and endpoint that the daemon reports.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The release that it announces, `major.minor.patch`.
    pub version: String,
    /// The label of its namespace.
    pub namespace: String,
    /// Where it listens.
    pub endpoint: String,
    /// The root of the daemon's files.
    pub cache_dir: NormalizedPath,
}

/// The daemon behind its server.
#[derive(Debug)]
pub struct DaemonService {
    store: Arc<Store>,
    sessions: Arc<Sessions>,
    counters: Arc<Counters>,
    control: Control,
    artifacts: Artifacts,
    builds: Builds,
    compiles: Compiles,
    execs: Execs,
    fingerprints: Fingerprints,
    handles: Handles,
    shelves: Shelves,
    facts: Facts,
    cleared: Arc<Notify>,
}

impl DaemonService {
    /// Returns the signal that fires after each `Clear`.
    pub(crate) fn cleared(&self) -> Arc<Notify> {
        Arc::clone(&self.cleared)
    }

    /// Makes the service of a daemon that starts now.
    #[must_use]
    pub fn new(identity: Identity, store: Store, sessions: Sessions) -> Self {
        let (identity, store, sessions) = (Arc::new(identity), Arc::new(store), Arc::new(sessions));
        let counters = Arc::<Counters>::default();
        let control = Control::new(
            Arc::clone(&identity),
            Arc::clone(&store),
            Arc::clone(&sessions),
            Arc::clone(&counters),
        );
        let artifacts = Artifacts::new(Arc::clone(&store), Arc::clone(&sessions), Arc::clone(&counters));
        let builds = Builds::new(Arc::clone(&identity), Arc::clone(&sessions));
        let handles = Handles::new(identity, Arc::clone(&sessions));
        let shelves = Shelves::new(Arc::clone(&store), Arc::clone(&sessions), Arc::clone(&counters));
        let fingerprints = Fingerprints::new(crate::fingerprint::Limits::default());
        let tools = Arc::new(Tools::new(tool::Limits::default(), directory(&store)));
        let execs = Execs::new(Arc::clone(&store), Arc::clone(&counters), Arc::clone(&tools));
        let compiles = Compiles::new(Arc::clone(&store), Arc::clone(&sessions), Arc::clone(&counters), tools);
        Self {
            store,
            sessions,
            counters,
            control,
            artifacts,
            builds,
            compiles,
            execs,
            fingerprints,
            handles,
            shelves,
            facts: Facts::default(),
            cleared: Arc::default(),
        }
    }

    /// Replaces the limits of the tools.
    #[must_use]
    pub fn with_tools(mut self, limits: tool::Limits) -> Self {
        let (store, sessions) = (Arc::clone(&self.store), Arc::clone(&self.sessions));
        let tools = Arc::new(Tools::new(limits, directory(&store)));
        self.execs = Execs::new(Arc::clone(&store), Arc::clone(&self.counters), Arc::clone(&tools));
        self.compiles = Compiles::new(store, sessions, Arc::clone(&self.counters), tools);
        self
    }

    /// Which requests the servers have answered.
    pub(crate) const fn traffic(&self) -> &Traffic {
        self.control.traffic()
    }

    /// Returns the time since the daemon started.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.control.uptime()
    }

    /// Finishes writes in progress and refuses every later request.
    ///
    /// # Cancel safety
    ///
    /// See [`Store::close`].
    pub async fn close(&self) {
        self.store.close().await;
        self.sessions.flush().await;
    }

    /// Begins a new store where somebody has removed the file of the old one.
    pub(crate) fn look_after(&self) {
        self.store.look_after();
    }

    /// Returns true if the last owner of a private daemon has ended.
    pub(crate) fn owners_are_gone(&self) -> bool {
        self.sessions.owners_are_gone()
    }

    async fn answer(&self, request: Request, connection: ConnectionKey, caller: Option<&Caller>) -> Response {
        match request {
            Request::Ping => Response::Pong,
            Request::Shutdown => Response::ShuttingDown,
            Request::Status => self.control.status(),
            Request::Lookup(lookup) => self.artifacts.lookup(&lookup.cache_key, connection, caller).await,
            Request::Store(store) => self.artifacts.store(&store.cache_key, store.artifact, connection).await,
            Request::Clear => {
                let response = self.artifacts.clear().await;
                self.cleared.notify_one();
                response
            }
            Request::ListRustArtifacts => self.artifacts.list_rust().await,
            Request::SessionStart(start) => self.builds.start(&start, connection),
            Request::SessionStats(session) => self.builds.stats(&session.session_id),
            Request::SessionEnd(session) => self.builds.end(&session.session_id).await,
            Request::Compile(compile) => self.compiles.compile(compile, caller).await,
            Request::CompileEphemeral(compile) => self.compiles.compile_ephemeral(compile, caller).await,
            Request::LinkEphemeral(link) => self.compiles.link_ephemeral(link, caller).await,
            Request::GenericToolExec(exec) => self.execs.exec(exec, caller).await,
            Request::FingerprintCheck(check) => self.fingerprints.check(check).await,
            Request::FingerprintMarkSuccess(file) => self.fingerprints.mark_success(file.cache_file).await,
            Request::FingerprintMarkFailure(file) => self.fingerprints.mark_failure(file.cache_file).await,
            Request::FingerprintInvalidate(file) => self.fingerprints.invalidate(file.cache_file).await,
            Request::ReleaseWorktreeHandles(release) => self.handles.release(release.path).await,
            Request::ExecProbe(probe) if operator::is_operators(&probe) => self.operate(*probe).await,
            Request::ExecProbe(probe) => self.shelves.probe(*probe, caller).await,
            Request::ExecStore(store) => self.shelves.keep(*store).await,
        }
    }
}

/// Returns the directory for the large output of tools, where a daemon that starts removes what a killed one left.
fn directory(store: &Store) -> PathBuf {
    store.path().parent().map(Path::to_owned).unwrap_or_default()
}

#[cfg(test)]
mod tests;
