//! The names and the program of a daemon to start or stop, and the requests to it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ipc_connection::IpcError;
use ipc_endpoint::{CacheRoot, DirPolicy, DownloadLocations, Endpoint, Environment, Locations, Variable};
use wire_dispatch::WirePolicy;

use crate::blocking::Client;
use crate::download::{self, DownloadError};
use crate::{CallError, ClientConfig};

/// The names of the daemon that is started or stopped.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum DaemonPlace {
    /// The daemon that compiles.
    Compile(Box<Locations>),
    /// The download daemon.
    Download(Box<DownloadLocations>),
}

impl From<Locations> for DaemonPlace {
    fn from(locations: Locations) -> Self {
        Self::Compile(Box::new(locations))
    }
}

impl From<DownloadLocations> for DaemonPlace {
    fn from(locations: DownloadLocations) -> Self {
        Self::Download(Box::new(locations))
    }
}

impl DaemonPlace {
    /// Returns the endpoint.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        match self {
            Self::Compile(locations) => locations.endpoint(),
            Self::Download(locations) => locations.endpoint(),
        }
    }

    pub(super) fn lock_file(&self) -> &Path {
        match self {
            Self::Compile(locations) => locations.lock_file(),
            Self::Download(locations) => locations.lock_file(),
        }
    }

    pub(super) fn dir_policy(&self) -> DirPolicy {
        match self {
            Self::Compile(locations) => locations.dir_policy(),
            Self::Download(locations) => locations.dir_policy(),
        }
    }

    /// Returns the user's runtime directory, if the endpoint is in a directory of ours below it.
    pub(super) fn runtime_directory(&self) -> Option<&Path> {
        match self {
            Self::Compile(locations) => locations.runtime_directory(),
            Self::Download(locations) => {
                let above = Path::new(locations.endpoint().as_str()).parent()?.parent()?;
                let runtime = locations.daemon_environment().var(Variable::XdgRuntimeDir)?;
                (Path::new(runtime) == above).then_some(above)
            }
        }
    }

    /// Returns the environment of the daemon that is started.
    pub(super) fn environment(&self) -> &Environment {
        match self {
            Self::Compile(locations) => locations.daemon_environment(),
            Self::Download(locations) => locations.daemon_environment(),
        }
    }

    pub(super) fn cache_root(&self) -> &CacheRoot {
        match self {
            Self::Compile(locations) => locations.cache_root(),
            Self::Download(locations) => locations.cache_root(),
        }
    }

    /// Returns the program's name, without the system's suffix.
    pub(super) const fn program(&self) -> &'static str {
        match self {
            Self::Compile(_) => "zccache-daemon",
            Self::Download(_) => "zccache-download-daemon",
        }
    }

    /// Returns the default log of a daemon that a client starts.
    ///
    /// It is `daemon-spawn[-<namespace>][-<id>].log` beside the lifecycle log, or the download daemon's own
    /// log.
    pub(super) fn log_file(&self) -> PathBuf {
        match self {
            Self::Compile(locations) => {
                let lifecycle = locations.lifecycle_log();
                let name = lifecycle.file_name().unwrap_or_default().to_string_lossy();
                lifecycle.with_file_name(name.replacen("daemon-lifecycle", "daemon-spawn", 1))
            }
            Self::Download(locations) => locations.log_file().to_owned(),
        }
    }

    /// Asks whether the daemon is there, and for its release if `for_version` is set.
    pub(super) fn ask(
        &self,
        wire: WirePolicy,
        limit: Duration,
        for_version: bool,
    ) -> Result<Option<String>, CallError> {
        let config = ClientConfig::within(limit).wire(wire);
        match self {
            Self::Compile(locations) => {
                let mut client = Client::new(locations.endpoint().clone(), config);
                match for_version {
                    true => client.status().map(|status| Some(status.version)),
                    false => client.ping().map(|()| None),
                }
            }
            Self::Download(locations) => {
                let mut client = download::Client::connect(locations.endpoint(), config)?;
                let answer = match for_version {
                    true => client.status().map(|status| Some(status.version)),
                    false => client.ping().map(|()| None),
                };
                alive(answer, None)
            }
        }
    }

    /// Asks the daemon to end.
    pub(super) fn shut_down(&self, wire: WirePolicy, limit: Duration) -> Result<(), CallError> {
        let config = ClientConfig::within(limit).wire(wire);
        match self {
            Self::Compile(locations) => Client::new(locations.endpoint().clone(), config).shutdown(),
            Self::Download(locations) => {
                match download::Client::connect(locations.endpoint(), config)?.shutdown() {
                    // The daemon ended before it could answer.
                    Err(DownloadError::Ipc(error)) if error.is_disconnect() => Ok(()),
                    Err(DownloadError::Ipc(error)) => Err(error.into()),
                    Err(error) => Err(IpcError::Io(std::io::Error::other(error)).into()),
                    Ok(()) => Ok(()),
                }
            }
        }
    }
}

/// Accepts a download daemon that refuses, or sends an unexpected answer: it is alive.
fn alive<T>(answer: Result<T, DownloadError>, otherwise: T) -> Result<T, CallError> {
    match answer {
        Ok(answer) => Ok(answer),
        Err(DownloadError::Ipc(error)) => Err(error.into()),
        Err(DownloadError::Refused(_) | DownloadError::Unexpected(_)) => Ok(otherwise),
    }
}
