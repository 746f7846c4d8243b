//! Why a tree could not be looked at.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// A scan that was not finished. The texts that released daemons have are theirs.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ScanError {
    /// There is no such directory.
    #[error("scan error in {}: cannot canonicalize root: {source}", root.display())]
    Root {
        /// The directory.
        root: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The daemon's own directory says nothing about the client's.
    #[error("scan error in {}: the root is not absolute", .0.display())]
    Relative(PathBuf),
    /// The client's pattern is not a valid glob.
    #[error("scan error in {glob}: invalid glob pattern: {source}")]
    Glob {
        /// The text.
        glob: String,
        /// The error in the pattern.
        source: globset::Error,
    },
    /// Something in the tree cannot be read.
    #[error("scan error in {}: {source}", path.display())]
    Unreadable {
        /// The path that cannot be read.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// More files count than are kept of one tree.
    #[error("scan error in {}: more than {most} files", root.display())]
    TooMany {
        /// The directory.
        root: PathBuf,
        /// The limit.
        most: usize,
    },
    /// The path of a cache file or a root exceeds the system's limit.
    #[error("scan error: a path has {len} bytes, and {most} are the most")]
    PathTooLong {
        /// Its length in bytes.
        len: usize,
        /// The limit.
        most: usize,
    },
    /// The client no longer waits for the result.
    #[error("the scan was given up")]
    GivenUp,
}
