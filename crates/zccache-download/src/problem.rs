//! Errors of downloads.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

/// Error of a download.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Problem {
    /// The URL does not name a file that this daemon can download.
    #[error("cannot download {url}: {why}")]
    Address {
        /// The URL.
        url: String,
        /// The fault of the URL.
        why: String,
    },
    /// The destination cannot be written.
    #[error("cannot write to {}: {why}", path.display())]
    Destination {
        /// The destination, or another file that prevents the download.
        path: PathBuf,
        /// The fault of the file.
        why: &'static str,
    },
    /// Another download writes to the destination.
    #[error("destination {destination} is already downloading from {url}")]
    Conflict {
        /// The destination.
        destination: String,
        /// The URL of the other download.
        url: String,
    },
    /// The daemon has reached its limit of downloads.
    #[error("{0} downloads run already; try again later")]
    TooMany(usize),
    /// The daemon is shutting down.
    #[error("the download daemon is shutting down")]
    ShuttingDown,
    /// The web server refused the request.
    #[error("the server answered {status} for {url}")]
    Status {
        /// HTTP status.
        status: u16,
        /// The URL.
        url: String,
    },
    /// The daemon does not follow a redirect of the web server.
    #[error("{url} redirects, and is not followed: {why}")]
    Redirected {
        /// The requested URL.
        url: String,
        /// The reason.
        why: String,
    },
    /// The HTTP exchange failed.
    #[error("cannot download {url}")]
    Web {
        /// The URL.
        url: String,
        /// Error of the HTTP library.
        source: Box<ureq::Error>,
    },
    /// The response ended early.
    #[error("the server's response ended after {received} of {expected} bytes")]
    Truncated {
        /// Number of received bytes.
        received: u64,
        /// Number of announced bytes.
        expected: u64,
    },
    /// The web server sent no bytes for this time.
    #[error("the server sent nothing for {0:?}")]
    Stalled(Duration),
    /// The file changed repeatedly during the download.
    #[error("{0} keeps changing while it is downloaded")]
    Changing(String),
    /// The web server's response is not valid for the request.
    #[error("the server's response is not valid: {0}")]
    Nonsense(String),
    /// The disk is full.
    #[error("the disk of {} is full", path.display())]
    DiskFull {
        /// The file being written.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// A file operation failed.
    #[error("cannot {what} {}", path.display())]
    File {
        /// The operation.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// The operating system did not start a thread.
    #[error("cannot start a download thread")]
    Thread(#[source] io::Error),
    /// The download was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// The file changed since the start of the download, which must restart.
    #[error("the file has changed")]
    Changed,
}

impl Problem {
    /// Returns true if a retry may succeed.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504),
            Self::Truncated { .. } | Self::Stalled(_) => true,
            Self::Web { source, .. } => is_transient(source),
            _ => false,
        }
    }

    /// Returns the problem of a failed file operation.
    pub(crate) fn file(what: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        let path = path.into();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path, source },
            _ => Self::File { what, path, source },
        }
    }

    /// Returns the text with its causes on one line.
    #[must_use]
    pub fn told(&self) -> String {
        let error: &dyn std::error::Error = self;
        let chain = std::iter::successors(Some(error), |error| error.source());
        let mut texts: Vec<String> = chain.map(ToString::to_string).collect();
        // Some causes repeat the text of their error.
        texts.dedup();
        texts.join(": ")
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
    fn a_full_disk_has_its_own_problem() {
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded] {
            let problem = Problem::file("write", "/d", kind.into());
            assert!(matches!(problem, Problem::DiskFull { .. }), "{problem}");
            assert!(!problem.is_transient());
        }
    }

    #[test]
    fn a_transient_problem_is_retried_and_a_permanent_one_is_not() {
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
