//! Why a tool has no result.

use std::io;
use std::time::Duration;

use thiserror::Error;

/// A tool that has no result.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ToolError {
    /// It could not be started: the caller named no program, or no directory.
    #[error(transparent)]
    Start(io::Error),
    /// It wrote more than a reply holds, and was ended.
    #[error("the tool wrote more than {limit} bytes and was ended: a reply holds no more")]
    TooMuchOutput {
        /// The most bytes that a tool may write.
        limit: usize,
    },
    /// It ran, and there is no memory for its output.
    #[error("the tool ran, and the daemon's memory has no room for {bytes} bytes of its output")]
    NoMemory {
        /// The bytes of its output.
        bytes: usize,
    },
    /// Its output could not be read.
    #[error("the output of the tool cannot be read")]
    Output(#[source] io::Error),
    /// The exit status is unknown.
    #[error("it is not known how the tool ended")]
    Lost(#[source] io::Error),
    /// The most allowed tools run already.
    #[error("{waiting} tools have waited {waited:?} for their turn")]
    Busy {
        /// The number of waiting tools.
        waiting: usize,
        /// The time that this tool waited.
        waited: Duration,
    },
}
