//! The one download daemon of an endpoint, from its claim to its end.

use std::fmt;
use std::io;
use std::path::Path;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use zccache_ipc::download::Server;
use zccache_ipc::endpoint::{
    BindError, Claim, ClaimError, DirPolicy, DirectoryError, DownloadLocations, Listener, Pid,
    ensure_directory, raise_fd_limit,
};
use zccache_ipc::{DrainPolicy, Ended, ServeError, Served, ServerConfig, ServerHandle, signals};

use crate::{Jobs, Limits};

/// Connections at one time: one for each client that waits.
const CONNECTIONS: usize = 512;

/// How often the daemon looks whether its socket and locks are still there.
const LOOK: Duration = Duration::from_secs(1);

/// How long the answers on their way may take when the daemon ends, and how long the downloads.
const DRAIN: Duration = Duration::from_secs(5);
const TO_END: Duration = Duration::from_secs(10);

/// What a download daemon is to be.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// Where.
    pub locations: DownloadLocations,
    /// The release that is announced.
    pub release: String,
    /// Without a client, a request or a download; `None` is never.
    pub idle_timeout: Option<Duration>,
    /// The bounds of its downloads.
    pub limits: Limits,
}

/// Why a daemon is not there any more. All of them are successes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// A client asked for it.
    Shutdown,
    /// Nobody asked for anything for too long.
    Idle,
    /// The system asked for it.
    Signal,
    /// Another daemon has the endpoint; this is its process, where that is known.
    Lost(Option<Pid>),
}

/// A daemon that is not there.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DaemonError {
    /// A directory cannot be used.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The endpoint was not claimed; never because another daemon has it.
    #[error(transparent)]
    Claim(ClaimError),
    /// The endpoint was not bound; never because another daemon has it.
    #[error(transparent)]
    Bind(BindError),
    /// There is no runtime to be had.
    #[error("cannot start to work")]
    Runtime(#[source] io::Error),
    /// The server could not go on.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The server failed an assertion.
    #[error("the server failed an assertion")]
    Panicked,
    /// Somebody removed the locks, and another daemon was faster to take them again.
    #[error("the lock files were removed, and another daemon has them")]
    LocksLost,
}

impl Settings {
    /// The defaults, for a daemon at `locations` that announces itself as `release`.
    pub fn new(locations: DownloadLocations, release: impl Into<String>) -> Self {
        Self { locations, release: release.into(), idle_timeout: None, limits: Limits::default() }
    }
}

/// Serves downloads until something ends it. Blocks.
///
/// # Errors
///
/// [`DaemonError`]; nothing of ours is left at the endpoint then.
pub fn run(settings: &Settings) -> Result<Outcome, DaemonError> {
    if let Err(error) = raise_fd_limit() {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
    let locations = &settings.locations;
    // Before anything else, so that of many starters all but one are gone at once.
    let claim = Claim::take(locations.endpoint(), locations.lock_file(), locations.dir_policy());
    let mut claim = match claim {
        Ok(claim) => claim,
        Err(ClaimError::Held { by, .. }) => return Ok(Outcome::Lost(by)),
        Err(error) => return Err(DaemonError::Claim(error)),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(DaemonError::Runtime)?;
    let jobs = Jobs::new(settings.limits);
    let outcome = runtime.block_on(async {
        let listener = match claim.bind() {
            Ok(listener) => listener,
            Err(BindError::InUse { by, .. }) => return Ok(Outcome::Lost(by)),
            Err(error) => return Err(DaemonError::Bind(error)),
        };
        ensure_directory(Path::new(locations.cache_root().path()), DirPolicy::Dedicated)?;
        tracing::info!(endpoint = %locations.endpoint(), release = settings.release, "listening");
        Servers::new(settings, &jobs).until_ended(&mut claim, listener, &signals()).await
    });
    if !jobs.close(TO_END) {
        tracing::warn!("some downloads do not end, and are cut off");
    }
    runtime.shutdown_timeout(Duration::from_secs(1));
    if let Err(error) = claim.release() {
        tracing::warn!(%error, "the socket or lock file stays behind; the next daemon takes it over");
    }
    outcome
}

/// The server of each socket that the daemon has had: the newest gets the clients that come.
struct Servers<'a> {
    settings: &'a Settings,
    jobs: &'a Jobs,
    tasks: JoinSet<(usize, Result<Served, ServeError>)>,
    handles: Vec<ServerHandle>,
}

impl<'a> Servers<'a> {
    fn new(settings: &'a Settings, jobs: &'a Jobs) -> Self {
        Self { settings, jobs, tasks: JoinSet::new(), handles: Vec::new() }
    }

    /// Serves `listener`. The servers before go on: their clients wait for downloads.
    fn add(&mut self, listener: Listener) {
        let mut config = ServerConfig::new(self.settings.release.clone());
        config.max_connections = CONNECTIONS;
        config.idle_timeout = self.settings.idle_timeout;
        config.drain = DrainPolicy::new(DRAIN, || {
            tracing::error!("the daemon does not end by itself and is ended");
            std::process::exit(1);
        });
        let server = Server::new(self.jobs.clone(), self.settings.locations.endpoint(), config);
        self.handles.push(server.handle());
        let number = self.handles.len();
        self.tasks.spawn(async move { (number, server.serve(listener).await) });
    }

    fn stop(&self) {
        for handle in &self.handles {
            handle.shutdown();
        }
    }

    async fn until_ended(
        &mut self,
        claim: &mut Claim,
        listener: Listener,
        signalled: &Notify,
    ) -> Result<Outcome, DaemonError> {
        self.add(listener);
        let mut outcome = Ok(Outcome::Signal);
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut ending = false;
        loop {
            tokio::select! {
                ended = self.tasks.join_next() => match ended {
                    None => return outcome,
                    Some(Ok((number, served))) => {
                        let asked = matches!(served, Ok(Served { ended: Ended::Shutdown, .. }));
                        if !ending && (asked || number == self.handles.len()) {
                            outcome = served.map(|served| served.ended.into()).map_err(DaemonError::from);
                            ending = true;
                            self.stop();
                        }
                    }
                    Some(Err(_)) => {
                        (outcome, ending) = (Err(DaemonError::Panicked), true);
                        self.stop();
                    }
                },
                () = signalled.notified(), if !ending => {
                    ending = true;
                    self.stop();
                }
                _ = look.tick(), if !ending => {
                    if let Err(error) = self.look_after(claim) {
                        (outcome, ending) = (Err(error), true);
                        self.stop();
                    }
                }
            }
        }
    }

    /// Makes the socket and the locks again when somebody, such as a cleaner of `/tmp`, has removed them.
    fn look_after(&mut self, claim: &mut Claim) -> Result<(), DaemonError> {
        // What cannot be looked at is taken for unchanged.
        if let Ok(false) = claim.owns_locks() {
            match claim.retake_locks() {
                Ok(true) => tracing::warn!("the locks were removed and are taken again"),
                Ok(false) => return Err(DaemonError::LocksLost),
                Err(error) => return Err(DaemonError::Claim(error)),
            }
        }
        if let Ok(false) = claim.owns_socket() {
            match claim.bind() {
                Ok(listener) => {
                    tracing::warn!("the socket was removed and is made again");
                    self.add(listener);
                }
                Err(error @ BindError::InUse { .. }) => return Err(DaemonError::Bind(error)),
                Err(error) => tracing::warn!(%error, "the socket was removed and cannot be made again"),
            }
        }
        Ok(())
    }
}

impl From<Ended> for Outcome {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Shutdown => Self::Shutdown,
            Ended::Idle => Self::Idle,
            _ => Self::Signal,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shutdown => f.write_str("a client asked the daemon to end"),
            Self::Idle => f.write_str("nobody asked for anything, and the daemon ends"),
            Self::Signal => f.write_str("the system asked the daemon to end"),
            Self::Lost(Some(pid)) => write!(f, "another daemon (process {pid}) has the endpoint"),
            Self::Lost(None) => f.write_str("another daemon has the endpoint"),
        }
    }
}
