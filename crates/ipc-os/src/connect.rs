//! The errors of connecting, and the pauses between attempts.

use std::{
    io,
    path::PathBuf,
    time::{Duration, Instant},
};

use thiserror::Error;

use crate::{Backoff, Endpoint, EndpointError, FileKind, Peer, io_cause, os, rounded};

/// A failed connection.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The endpoint's name cannot be used on this platform.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// No daemon listens there.
    ///
    /// Nothing is at the name, or the socket refuses and no daemon holds its lock.
    #[error("no daemon listens at {endpoint}")]
    NoDaemon {
        /// The endpoint.
        endpoint: Endpoint,
        /// The system's error.
        source: io::Error,
    },
    /// A daemon is there, but took no connection until the deadline.
    #[error("the daemon at {endpoint} took no connection within {:?}", rounded(*waited))]
    Busy {
        /// The daemon's endpoint.
        endpoint: Endpoint,
        /// The time from the first failed attempt to the deadline.
        waited: Duration,
        /// The system's error of the last attempt.
        source: io::Error,
    },
    /// Another user listens there; nothing was sent.
    #[error("the listener at {endpoint} belongs to user {found}, not to user {expected}")]
    ForeignPeer {
        /// The endpoint.
        endpoint: Endpoint,
        /// Our effective user id.
        expected: u32,
        /// The listener's user id.
        found: u32,
    },
    /// A process of another user serves the pipe; nothing was sent. On Windows only.
    #[error("the pipe {endpoint} belongs to user {found}, not to user {expected}")]
    ForeignServer {
        /// The endpoint.
        endpoint: Endpoint,
        /// Our security identifier.
        expected: String,
        /// The security identifier of the process that serves the pipe.
        found: String,
    },
    /// The path names something that is not a socket.
    #[error("{} is {kind}, not a socket", path.display())]
    NotASocket {
        /// The path.
        path: PathBuf,
        /// The kind of the file that is there.
        kind: FileKind,
    },
    /// The system does not let us connect.
    #[error("no permission to connect to {endpoint}")]
    PermissionDenied {
        /// The endpoint.
        endpoint: Endpoint,
        /// The system's error.
        source: io::Error,
    },
    /// Another error.
    #[error("cannot connect to {endpoint}")]
    Io {
        /// The endpoint.
        endpoint: Endpoint,
        /// The system's error.
        source: io::Error,
    },
}

impl ConnectError {
    /// Returns the error of the operating system behind this one, if there is one.
    #[must_use]
    pub fn io(&self) -> Option<&io::Error> {
        io_cause(self)
    }

    /// Returns the kind of error of the standard library that is nearest.
    ///
    /// It is the kind of [`io`](Self::io) unless the variant says more.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Endpoint(_) | Self::NotASocket { .. } => io::ErrorKind::InvalidInput,
            Self::Busy { .. } => io::ErrorKind::TimedOut,
            Self::ForeignPeer { .. } | Self::ForeignServer { .. } | Self::PermissionDenied { .. } => {
                io::ErrorKind::PermissionDenied
            }
            Self::NoDaemon { source, .. } | Self::Io { source, .. } => source.kind(),
        }
    }

    /// Returns true if no daemon listens there, so that one may be started.
    #[must_use]
    pub const fn is_no_daemon(&self) -> bool {
        matches!(self, Self::NoDaemon { .. })
    }

    /// Returns true if a daemon is there, but took no connection in time.
    ///
    /// Starting another daemon would not help.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        matches!(self, Self::Busy { .. })
    }
}

/// The cause of a failed attempt on this system.
#[derive(Debug)]
pub(crate) enum Failure {
    NoDaemon(io::Error),
    Busy(io::Error),
    NotASocket(FileKind),
    PermissionDenied(io::Error),
    Other(io::Error),
}

/// Returns the listener at the other end of `io`, if it is a process of our user.
pub(crate) fn ours(io: &impl os::HasPeer, endpoint: &Endpoint) -> Result<Peer, ConnectError> {
    let failed = |source| ConnectError::Io { endpoint: endpoint.clone(), source };
    let peer = os::peer(io).map_err(failed)?;
    if let Some((expected, found)) = peer.foreign_to(os::our_uid()) {
        return Err(ConnectError::ForeignPeer { endpoint: endpoint.clone(), expected, found });
    }
    match os::foreign_server(io).map_err(failed)? {
        Some((expected, found)) => {
            Err(ConnectError::ForeignServer { endpoint: endpoint.clone(), expected, found })
        }
        None => Ok(peer),
    }
}

/// The attempts of one connect: doubling pauses with jitter, up to a deadline.
#[derive(Debug)]
pub(crate) struct Attempts {
    /// The time at which the first attempt failed.
    started: Option<Instant>,
    deadline: Instant,
    backoff: Backoff,
}

impl Attempts {
    const FIRST_NAP: Duration = Duration::from_micros(500);
    const LONGEST_NAP: Duration = Duration::from_millis(25);

    pub(crate) const fn until(deadline: Instant) -> Self {
        Self { started: None, deadline, backoff: Backoff::new(Self::FIRST_NAP, Self::LONGEST_NAP) }
    }

    /// Returns the pause before the next attempt, or the final error.
    pub(crate) fn after(&mut self, endpoint: &Endpoint, failure: Failure) -> Result<Duration, ConnectError> {
        let endpoint = endpoint.clone();
        Err(match failure {
            Failure::Busy(source) => {
                let now = Instant::now();
                // An attempt does not wait, so the first one took no time.
                let started = *self.started.get_or_insert(now);
                let left = self.deadline.saturating_duration_since(now);
                if !left.is_zero() {
                    return Ok(self.backoff.pause().min(left));
                }
                ConnectError::Busy { endpoint, waited: now.duration_since(started), source }
            }
            Failure::NoDaemon(source) => ConnectError::NoDaemon { endpoint, source },
            Failure::NotASocket(kind) => {
                ConnectError::NotASocket { path: PathBuf::from(endpoint.as_str()), kind }
            }
            Failure::PermissionDenied(source) => ConnectError::PermissionDenied { endpoint, source },
            Failure::Other(source) => ConnectError::Io { endpoint, source },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn naps_grow_stay_bounded_and_end_at_the_deadline() {
        let endpoint = Endpoint::new("/x");
        let busy = || Failure::Busy(io::ErrorKind::WouldBlock.into());
        let mut attempts = Attempts::until(Instant::now() + Duration::from_secs(3600));
        for _ in 0..100 {
            let nap = attempts.after(&endpoint, busy()).expect("time is left");
            assert!(nap >= Duration::from_micros(250) && nap <= Duration::from_millis(25), "{nap:?}");
        }
        let mut late = Attempts::until(Instant::now());
        assert!(late.after(&endpoint, busy()).expect_err("no time is left").is_busy());
    }
}
