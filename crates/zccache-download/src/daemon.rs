//! The one download daemon of an endpoint, from its claim to its end.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::io;
use std::path::Path;
use std::time::Duration;

use thiserror::Error;
use zccache_ipc::download::Server;
use zccache_ipc::endpoint::{
    DirPolicy, DirectoryError, DownloadLocations, Listener, Pid, ensure_directory, raise_fd_limit,
};
use zccache_ipc::{
    DrainPolicy, Host, HostEnded, HostError, Program, ServeError, Served, ServerConfig, ServerHandle,
};

use crate::{Jobs, Limits};

/// Connections at one time: one for each client that waits.
const CONNECTIONS: usize = 512;

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
    /// The endpoint was not claimed or bound, or the server could not go on; never [`HostError::Lost`].
    #[error(transparent)]
    Host(#[from] HostError),
    /// There is no runtime to be had.
    #[error("cannot start to work")]
    Runtime(#[source] io::Error),
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
    let host = Host::claim(locations.endpoint(), locations.lock_file(), locations.dir_policy());
    let mut host = match host {
        Ok(host) => host,
        Err(HostError::Lost { by, .. }) => return Ok(Outcome::Lost(by)),
        Err(error) => return Err(error.into()),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(DaemonError::Runtime)?;
    let jobs = Jobs::new(settings.limits);
    let outcome = runtime.block_on(async {
        let listener = match host.listen(None) {
            Ok(listener) => listener,
            Err(HostError::Lost { by, .. }) => return Ok(Outcome::Lost(by)),
            Err(error) => return Err(error.into()),
        };
        ensure_directory(Path::new(locations.cache_root().path()), DirPolicy::Dedicated)?;
        tracing::info!(endpoint = %locations.endpoint(), release = settings.release, "listening");
        let mut hosted = Hosted { settings, jobs: &jobs };
        Ok(host.serve(listener, &mut hosted).await?.into())
    });
    if !jobs.close(TO_END) {
        tracing::warn!("some downloads do not end, and are cut off");
    }
    runtime.shutdown_timeout(Duration::from_secs(1));
    if let Err(error) = host.release() {
        tracing::warn!(%error, "the socket or lock file stays behind; the next daemon takes it over");
    }
    outcome
}

/// What the host keeps at the endpoint: a server for each socket, with the same downloads behind all.
struct Hosted<'a> {
    settings: &'a Settings,
    jobs: &'a Jobs,
}

impl Program for Hosted<'_> {
    type Leave = Infallible;

    /// Clients of an earlier socket wait for downloads.
    const KEEPS_EARLIER: bool = true;

    fn serve(
        &mut self,
        _number: u64,
        listener: Listener,
    ) -> (ServerHandle, impl Future<Output = Result<Served, ServeError>> + Send + 'static) {
        let mut config = ServerConfig::new(self.settings.release.clone());
        config.max_connections = CONNECTIONS;
        config.idle_timeout = self.settings.idle_timeout;
        config.drain = DrainPolicy::new(DRAIN, || {
            tracing::error!("the daemon does not end by itself and is ended");
            std::process::exit(1);
        });
        let server = Server::new(self.jobs.clone(), self.settings.locations.endpoint(), config);
        (server.handle(), server.serve(listener))
    }
}

impl From<HostEnded<Infallible>> for Outcome {
    fn from(ended: HostEnded<Infallible>) -> Self {
        match ended {
            HostEnded::Shutdown => Self::Shutdown,
            HostEnded::Idle => Self::Idle,
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
