//! Why a tool has no result that could be given.

use std::io;
use std::path::PathBuf;

use thiserror::Error;
use zccache_ipc::model::Backpressure;

use crate::tool::ToolError;

/// A run that has no result. The texts that released daemons have are theirs.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExecError {
    /// The caller's tool cannot be read.
    #[error("cannot hash tool {}", path.display())]
    HashTool {
        /// The tool.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A file that the caller declares as an input cannot be read.
    #[error("cannot hash input file {}", path.display())]
    HashInput {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The caller's pattern for arguments is not a regular expression.
    #[error("invalid key-args-filter regex: {pattern:?}")]
    Filter {
        /// The pattern.
        pattern: String,
        /// The error in the pattern.
        source: regex::Error,
    },
    /// The caller's patterns for arguments are too long.
    #[error("the key-args-filter regexes have {len} bytes, and {most} are the most")]
    LongFilters {
        /// Their length in bytes.
        len: usize,
        /// The limit.
        most: usize,
    },
    /// The tool wrote more than a reply holds; its files are where it wrote them.
    #[error("the output files have {bytes} bytes, and a reply holds no more than {most}")]
    TooMuchOutput {
        /// The length of the output.
        bytes: u64,
        /// The longest output that a reply holds.
        most: u64,
    },
    /// There is no memory for a stored result; nothing was done.
    #[error("the daemon's memory has no room for a stored result")]
    Overload(Backpressure),
    /// There is no memory for the output files; they are where the tool wrote them.
    #[error("the tool ran, and the daemon's memory has no room for {bytes} bytes of its output")]
    NoMemory {
        /// The length of the output.
        bytes: usize,
    },
    /// An output file cannot be read.
    #[error("cannot read the output file {}", path.display())]
    Output {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The tool has no result.
    #[error("failed to run tool")]
    Tool(#[from] ToolError),
    /// Reading failed an assertion.
    #[error("looking at the files of the tool failed an assertion")]
    Panicked,
}
