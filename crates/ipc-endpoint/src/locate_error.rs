//! The error of deriving names.

use std::fmt;
use std::io;

use thiserror::Error;

use crate::variable::Variable;

/// The environment does not give valid names.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LocateError {
    /// A path that names depend on is not UTF-8, so no message could carry it.
    #[error("{setting} is not valid UTF-8: {shown:?}")]
    NotUtf8 {
        /// The setting that gave the path.
        setting: Setting,
        /// The value, with replacement characters for invalid bytes.
        shown: String,
    },
}

/// The names of this process cannot be derived.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NamesError {
    /// The current directory cannot be read.
    #[error(transparent)]
    Surroundings(#[from] io::Error),
    /// The environment does not give valid names.
    #[error(transparent)]
    Locate(#[from] LocateError),
}

/// The source of a path or an endpoint name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Setting {
    /// An environment variable.
    Variable(Variable),
    /// The cache directory that the caller asked for.
    CacheDirArgument,
    /// The current directory.
    CurrentDir,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(variable) => f.write_str(variable.name()),
            Self::CacheDirArgument => f.write_str("the cache directory argument"),
            Self::CurrentDir => f.write_str("the current directory"),
        }
    }
}
