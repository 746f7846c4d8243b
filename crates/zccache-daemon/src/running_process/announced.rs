//! The daemon as others know it: its identity file, and its answers to probes.
//!
//! All of it is best effort and off the serving path: a daemon without it is found and called all the same.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use zccache_ipc::endpoint::{DirPolicy, IdentityEndpoint, Pid, ensure_directory};
use zccache_ipc::rp_broker::identity::{self, Identity, this_executable};
use zccache_ipc::rp_broker::lane::broker_v2_identity_file;
use zccache_ipc::rp_broker::probe::{Announcer, Responder};
use zccache_ipc::{Extension, Wires};

use crate::chain;
use crate::settings::Settings;

/// The identity that the daemon shows to clients that verify it.
#[derive(Debug)]
pub(crate) struct Announced {
    responder: Responder,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    /// Where it stands, beside the answers to probes.
    files: Vec<PathBuf>,
    /// Once it is known.
    identity: Option<Identity>,
    /// Nothing is written any more.
    ended: bool,
}

impl Announced {
    /// Begins to find out what to say, on a thread of its own: the executable is read once, to its end.
    ///
    /// `None` for a daemon that plays a release without probes.
    pub(crate) fn begin(settings: &Settings) -> Option<Self> {
        if settings.wires == Wires::V15 {
            return None;
        }
        let locations = &settings.locations;
        let mut files = vec![locations.identity_file().to_owned()];
        files.extend(settings.tells_broker.then(broker_v2_identity_file));
        let state = Arc::new(Mutex::new(State { files, identity: None, ended: false }));
        let (responder, announcer) = Responder::new();
        let endpoint = settings.identity_endpoint();
        let shared = Arc::clone(&state);
        in_the_background("identity", move || find_out(endpoint, announcer, &shared));
        Some(Self { responder, state })
    }

    /// Answers probes, as soon as the identity is known.
    pub(crate) fn responder(&self) -> Arc<dyn Extension> {
        Arc::new(self.responder.clone())
    }

    /// Writes the files again: who removed the socket may have removed them too.
    pub(crate) fn again(&self) {
        let state = Arc::clone(&self.state);
        in_the_background("identity-again", move || lock(&state).write());
    }

    /// Removes the files that are still this daemon's own. Waits at most `limit` for the file system.
    pub(crate) async fn end(self, limit: Duration) {
        let remove = tokio::task::spawn_blocking(move || lock(&self.state).end());
        if tokio::time::timeout(limit, remove).await.is_err() {
            tracing::warn!("the identity file stays behind; the next daemon replaces it");
        }
    }
}

impl State {
    fn write(&self) {
        let Some(identity) = self.identity.as_ref().filter(|_| !self.ended) else { return };
        for file in &self.files {
            if let Some(directory) = file.parent()
                && let Err(error) = ensure_directory(directory, DirPolicy::Dedicated)
            {
                tracing::warn!(error = chain(&error), "others cannot verify this daemon");
                continue;
            }
            if let Err(error) = identity::write(file, identity) {
                tracing::warn!(error = chain(&error), "others cannot verify this daemon");
            }
        }
    }

    fn end(&mut self) {
        self.ended = true;
        for file in &self.files {
            if let Err(error) = identity::remove_if_of(file, Pid::current()) {
                tracing::warn!(error = chain(&error), "the identity file stays behind");
            }
        }
    }
}

fn find_out(endpoint: IdentityEndpoint, announcer: Announcer, state: &Mutex<State>) {
    let (began, started) = (Instant::now(), SystemTime::now());
    let executable = match this_executable() {
        Ok(executable) => executable,
        Err(error) => {
            tracing::warn!(%error, "the executable cannot be read, and others cannot verify this daemon");
            return;
        }
    };
    let identity = Identity::of_this_process(executable, endpoint, started);
    tracing::debug!(took = ?began.elapsed(), "the identity of this daemon is known");
    announcer.announce(&identity);
    let mut state = lock(state);
    state.identity = Some(identity);
    state.write();
}

fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    // A write that panicked has left it whole.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn in_the_background(name: &str, work: impl FnOnce() + Send + 'static) {
    if let Err(error) = std::thread::Builder::new().name(name.to_owned()).spawn(work) {
        tracing::warn!(%error, "no thread to find out who this daemon is");
    }
}
