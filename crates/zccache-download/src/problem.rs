//! Why a download failed.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

/// Why a download failed, sorted by whose fault it is.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Problem {
    /// The address is of no file that can be had.
    #[error("cannot download {url}: {why}")]
    Address {
        /// The address.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The destination is no place for a file.
    #[error("cannot write to {}: {why}", path.display())]
    Destination {
        /// The destination, or what is in its way.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Another download writes there.
    #[error("destination {destination} is already downloading from {url}")]
    Conflict {
        /// The destination.
        destination: String,
        /// Where the other one comes from.
        url: String,
    },
    /// The daemon runs as many downloads as it may.
    #[error("{0} downloads run already; try again later")]
    TooMany(usize),
    /// The daemon ends.
    #[error("the download daemon is shutting down")]
    ShuttingDown,
    /// The server has no such file, or does not give it to us.
    #[error("the server answered {status} for {url}")]
    Status {
        /// The status.
        status: u16,
        /// The address.
        url: String,
    },
    /// The server sends us somewhere that we do not go.
    #[error("{url} redirects, and is not followed: {why}")]
    Redirected {
        /// The address that was asked for.
        url: String,
        /// Why not.
        why: String,
    },
    /// The server cannot be talked to.
    #[error("cannot download {url}")]
    Web {
        /// The address.
        url: String,
        /// What the HTTP library says.
        source: Box<ureq::Error>,
    },
    /// The answer broke off.
    #[error("the server broke off after {received} of {expected} bytes")]
    Truncated {
        /// What came.
        received: u64,
        /// What was announced.
        expected: u64,
    },
    /// The answer stopped to come.
    #[error("nothing came from the server for {0:?}")]
    Stalled(Duration),
    /// The file changed again and again while it was downloaded.
    #[error("{0} keeps changing while it is downloaded")]
    Changing(String),
    /// The answer does not fit the question.
    #[error("the server's answer makes no sense: {0}")]
    Nonsense(String),
    /// There is no room for the file.
    #[error("the disk of {} is full", path.display())]
    DiskFull {
        /// What was written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file cannot be read or written.
    #[error("cannot {what} {}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system gives us no thread.
    #[error("cannot start to download")]
    Thread(#[source] io::Error),
    /// The download was given up, which is no fault of anybody's.
    #[error("cancelled")]
    Cancelled,
    /// The file is another one than at the beginning: start again.
    #[error("the file has changed")]
    Changed,
}

impl Problem {
    /// Whether the same request may have more luck a moment later.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504),
            Self::Truncated { .. } | Self::Stalled(_) => true,
            Self::Web { source, .. } => is_transient(source),
            _ => false,
        }
    }

    /// The problem of a file operation.
    pub(crate) fn file(what: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        let path = path.into();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path, source },
            _ => Self::File { what, path, source },
        }
    }

    /// What it says, with its causes, on one line.
    #[must_use]
    pub fn told(&self) -> String {
        let error: &dyn std::error::Error = self;
        let chain = std::iter::successors(Some(error), |error| error.source());
        let mut told: Vec<String> = chain.map(ToString::to_string).collect();
        // Some causes say what was said already.
        told.dedup();
        told.join(": ")
    }
}

fn is_transient(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::Timeout(_) | ureq::Error::ConnectionFailed | ureq::Error::BodyStalled => true,
        ureq::Error::Io(error) => !matches!(
            error.kind(),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::PermissionDenied
        ),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_apart() {
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded] {
            let problem = Problem::file("write", "/d", kind.into());
            assert!(matches!(problem, Problem::DiskFull { .. }), "{problem}");
            assert!(!problem.is_transient());
        }
    }

    #[test]
    fn what_may_pass_is_tried_again_and_what_stays_is_not() {
        let status = |status| Problem::Status { status, url: String::new() };
        for (problem, expected) in [
            (status(503), true),
            (status(429), true),
            (status(404), false),
            (status(403), false),
            (Problem::Truncated { received: 1, expected: 2 }, true),
            (Problem::Changed, false),
            (Problem::Cancelled, false),
        ] {
            assert_eq!(problem.is_transient(), expected, "{problem}");
        }
    }
}
