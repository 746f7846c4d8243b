//! Why a daemon did not start, or could not go on.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use thiserror::Error;
use zccache_ipc::daemon::StartError as NotStarted;
use zccache_ipc::endpoint::{
    BindError, ClaimError, ConnectError, DirectoryError, Endpoint, EndpointError, LaunchError, LifetimeError,
    LocateError, Pid, rounded, shell_word,
};
use zccache_ipc::{CallError, HostError, IpcError};

use crate::Args;
use crate::store::{OpenError, is_full};

/// A daemon that is not there.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The environment cannot be read.
    #[error("cannot read the environment")]
    Environment(#[source] io::Error),
    /// No names can be made of the environment.
    #[error("cannot tell where to listen")]
    Locate(#[from] LocateError),
    /// A directory of the cache cannot be used.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The endpoint was not claimed or bound, or the server could not go on; never [`HostError::Lost`].
    #[error(transparent)]
    Host(#[from] HostError),
    /// The store was not opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// There is no runtime or no thread to be had.
    #[error("cannot start to work")]
    Runtime(#[source] io::Error),
    /// Opening the store failed an assertion.
    #[error("opening the store failed an assertion")]
    Panicked,
    /// This program's own path is not known.
    #[error("cannot find this program")]
    Program(#[source] io::Error),
    /// The daemon was not started in the background.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The daemon in the background ended at once.
    #[error("the daemon ended with {status}; see {}", log.display())]
    Ended {
        /// The exit status.
        status: ExitStatus,
        /// Its log.
        log: PathBuf,
    },
    /// Another daemon holds the endpoint and does not answer: it is stopped or hangs.
    #[error("another daemon{} holds {endpoint} and does not answer", process(.by))]
    Silent {
        /// The endpoint.
        endpoint: Endpoint,
        /// The other daemon, where it is known.
        by: Option<Pid>,
    },
    /// The endpoint cannot be asked, or another client has its turn.
    #[error(transparent)]
    Background(Box<NotStarted>),
    /// The daemon in the background does not answer.
    #[error("the daemon does not answer after {:?}; see {}", rounded(*waited), log.display())]
    NoAnswer {
        /// The time that the starter waited.
        waited: Duration,
        /// Its log.
        log: PathBuf,
    },
}

impl StartError {
    /// Returns the advice for the user, if there is one.
    #[must_use]
    pub fn advice(&self, args: &Args) -> Option<String> {
        match self {
            Self::Directory(DirectoryError::Io { path, source })
            | Self::Host(HostError::Claim(ClaimError::Directory(DirectoryError::Io { path, source })))
                if source.kind() == io::ErrorKind::PermissionDenied =>
            {
                let there = path.ancestors().find(|ancestor| ancestor.is_dir()).unwrap_or(path);
                Some(format!(
                    "make {} writable, or choose another directory with --cache-dir",
                    there.display()
                ))
            }
            Self::Directory(error) | Self::Host(HostError::Claim(ClaimError::Directory(error))) => {
                Some(format!("{}, or choose another directory with --cache-dir or --endpoint", error.fix()))
            }
            Self::Background(error) => match &**error {
                NotStarted::Call(CallError::Ipc(IpcError::Connect(ConnectError::NotASocket {
                    path,
                    ..
                }))) => Some(look_at(path)),
                _ => None,
            },
            Self::Host(HostError::Bind(BindError::NotASocket { path, .. })) => Some(look_at(path)),
            Self::Host(HostError::Claim(ClaimError::Endpoint(EndpointError::TooLong { .. }))) => {
                Some("choose a shorter path with --endpoint or --cache-dir".to_owned())
            }
            Self::Host(HostError::Claim(ClaimError::Endpoint(EndpointError::PipeTooLong { .. }))) => {
                Some("choose a shorter name with --endpoint".to_owned())
            }
            Self::Host(HostError::Claim(ClaimError::Lifetime(LifetimeError::Io { .. }))) => {
                Some("make the directory writable, or choose another one with --cache-dir".to_owned())
            }
            Self::Host(HostError::Claim(ClaimError::Lifetime(_))) => {
                Some("choose another directory with --cache-dir or --endpoint".to_owned())
            }
            Self::Silent { .. } => Some(format!(
                "{}, which ends a daemon that is proved to be frozen; or choose another --endpoint",
                client_command(args, "start")
            )),
            Self::Store(OpenError::Io { path, source }) if is_full(source) => Some(format!(
                "make room on the disk of {}, or choose another directory with --cache-dir",
                path.display()
            )),
            Self::Store(OpenError::Io { path, .. }) => Some(format!(
                "make {} writable, or choose another directory with --cache-dir",
                path.display()
            )),
            Self::Store(OpenError::Locked(_)) => {
                Some("stop the other daemon, or choose another directory with --cache-dir".to_owned())
            }
            _ => None,
        }
    }
}

/// The path may belong to another program and have any contents, so the advice removes nothing.
fn look_at(path: &Path) -> String {
    let path = shell_word(&path.to_string_lossy());
    format!("see what it is: ls -l {path}; or choose another path with --endpoint")
}

/// Returns a command line of `zccache-ipc` for the daemon that `args` choose.
fn client_command(args: &Args, verb: &str) -> String {
    let mut words = vec!["zccache-ipc".to_owned()];
    if let Some(dir) = &args.cache_dir {
        words.extend(["--cache-dir".to_owned(), shell_word(&dir.to_string_lossy())]);
    }
    if let Some(endpoint) = &args.endpoint {
        words.extend(["--endpoint".to_owned(), shell_word(endpoint)]);
    }
    words.push(verb.to_owned());
    words.join(" ")
}

fn process(pid: &Option<Pid>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (process {pid})"))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn an_advice_repeats_the_options_that_choose_the_daemon() {
        let silent = StartError::Silent { endpoint: Endpoint::from("/e"), by: None };
        let check = |line: &str, expected: &str| {
            let advice = silent.advice(&Args::parse_from(line.split(' '))).unwrap_or_default();
            assert!(advice.starts_with(&format!("{expected}, which ends ")), "{advice}");
        };
        check("zccache-daemon", "zccache-ipc start");
        check("zccache-daemon --cache-dir c --endpoint /e", "zccache-ipc --cache-dir c --endpoint /e start");
    }
}
