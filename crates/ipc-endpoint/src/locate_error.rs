//! Why no names can be derived.

use std::fmt;

use thiserror::Error;

use crate::variable::Variable;

/// Names cannot be derived from the environment.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LocateError {
    /// A path that the names are made of is not Unicode, so that no peer could be told about it.
    #[error("{setting} is not valid UTF-8: {shown:?}")]
    NotUtf8 {
        /// Where the path came from.
        setting: Setting,
        /// Its value, with what cannot be shown replaced.
        shown: String,
    },
}

/// Where a path or an endpoint name came from.
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
