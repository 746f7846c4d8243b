//! The download daemon of an endpoint, from its claim to its end.

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
    build_runtime,
};

use crate::{Jobs, Limits};

/// Maximum number of open connections: one for each waiting client.
const CONNECTIONS: usize = 512;

/// Time for replies to be sent when the daemon ends.
///
/// This and the other two times of the end are together less than the default timeout of `download stop`.
const DRAIN: Duration = Duration::from_secs(4);

/// Time for cancelled downloads to end when the daemon ends.
const CANCEL: Duration = Duration::from_secs(4);

/// Time for threads that hang in the file system to end.
const LEAVING: Duration = Duration::from_secs(1);

/// Settings of a download daemon.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// Endpoint, lock file and cache directory.
    pub locations: DownloadLocations,
    /// Release that the daemon reports.
    pub release: String,
    /// Time without clients, requests and downloads; `None` is never.
    pub idle_timeout: Option<Duration>,
    /// Limits of the downloads.
    pub limits: Limits,
}

/// Reason why a daemon ended. Each is a success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// A client sent a shutdown request.
    Shutdown,
    /// No request arrived within the idle timeout.
    Idle,
    /// The system sent a signal.
    Signal,
    /// Another daemon has the endpoint; its process id, if known.
    Lost(Option<Pid>),
}

/// A failure to start or to go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DaemonError {
    /// A directory cannot be used.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// Claiming, binding or serving failed; never [`HostError::Lost`].
    #[error(transparent)]
    Host(#[from] HostError),
    /// The runtime did not start.
    #[error("cannot start the runtime")]
    Runtime(#[source] io::Error),
}

impl Settings {
    /// Returns the defaults for a daemon of `release` at `locations`.
    pub fn new(locations: DownloadLocations, release: impl Into<String>) -> Self {
        Self { locations, release: release.into(), idle_timeout: None, limits: Limits::default() }
    }
}

/// Serves downloads until the daemon ends. Blocks.
///
/// # Errors
///
/// [`DaemonError`]; the daemon leaves no files at the endpoint.
pub fn run(settings: &Settings) -> Result<Outcome, DaemonError> {
    if let Err(error) = raise_fd_limit() {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
    let locations = &settings.locations;
    // Before heavy work, so that only one of several starting daemons goes on.
    let host = Host::claim(locations.endpoint(), locations.lock_file(), locations.dir_policy());
    let mut host = match host {
        Ok(host) => host,
        Err(HostError::Lost { by, .. }) => return Ok(Outcome::Lost(by)),
        Err(error) => return Err(error.into()),
    };
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = build_runtime(runtime.worker_threads(2).enable_all()).map_err(DaemonError::Runtime)?;
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
    if !jobs.close(CANCEL) {
        tracing::warn!("some downloads did not end in time and are aborted");
    }
    runtime.shutdown_timeout(LEAVING);
    if let Err(error) = host.release() {
        tracing::warn!(%error, "the socket or lock file stays behind; the next daemon takes it over");
    }
    outcome
}

/// The host's program: one server for each socket, all with the same downloads.
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
            tracing::error!("the drain does not end; the process exits");
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
            Self::Idle => f.write_str("the daemon ends because no request arrived within the idle timeout"),
            Self::Signal => f.write_str("the system asked the daemon to end"),
            Self::Lost(Some(pid)) => write!(f, "another daemon (process {pid}) has the endpoint"),
            Self::Lost(None) => f.write_str("another daemon has the endpoint"),
        }
    }
}

#[cfg(test)]
mod tests {
    use zccache_ipc::daemon::StopConfig;
    use zccache_ipc::endpoint::{Environment, Platform, Variable};

    use super::*;

    #[test]
    fn the_longest_end_of_a_download_daemon_is_shorter_than_the_wait_of_a_stop() {
        let environment = Environment::new(Platform::Linux, "/work").with(Variable::CacheDir, "/c");
        let locations = DownloadLocations::for_client(&environment, None, None).unwrap();
        let wait = StopConfig::new(locations).timeout;
        assert!(DRAIN + CANCEL + LEAVING < wait, "{wait:?}");
    }
}
