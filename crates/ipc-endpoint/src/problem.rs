//! What is wrong with names that are used all the same.

use thiserror::Error;

use crate::locate_error::Setting;
use crate::variable::Variable;
use ipc_path::EndpointError;

/// Something about the environment that makes its names fail or surprise.
///
/// Names are derived in spite of it, as the released programs do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Problem {
    /// The endpoint cannot be bound or connected to.
    #[error("the endpoint cannot be used: {0}")]
    Endpoint(#[source] EndpointError),
    /// The download daemon's endpoint cannot be bound or connected to.
    #[error("the download endpoint cannot be used: {0}")]
    DownloadEndpoint(#[source] EndpointError),
    /// A relative path names different places in programs that run in different directories.
    #[error("{setting} is the relative path {recorded:?}, which is {used:?} here")]
    Relative {
        /// Where the path came from.
        setting: Setting,
        /// The path, as it was given.
        recorded: String,
        /// The absolute path that is used.
        used: String,
    },
    /// No variable names the home directory, so the current directory stands in for it.
    #[error("neither HOME nor USERPROFILE is set, so the cache is below the current directory {used:?}")]
    NoHome {
        /// The current directory.
        used: String,
    },
    /// A variable is ignored because its value is not UTF-8.
    #[error("{0} is not valid UTF-8 and is ignored")]
    Ignored(Variable),
    /// The user's name is missing or empty, so that all such users share a name.
    #[error("{variable} is missing or empty, so the endpoint is not this user's own: {name:?} is used")]
    NoUser {
        /// The variable that should hold the name.
        variable: Variable,
        /// What is used as the user's name.
        name: String,
    },
    /// `USER` contains a `/`, so that the socket is in another directory than the user's own.
    #[error("USER is {0:?}, whose slash puts the socket in another directory")]
    UserIsAPath(String),
    /// `XDG_RUNTIME_DIR` is set to the empty string, so that sockets are below the root directory.
    #[error("XDG_RUNTIME_DIR is set but empty, so sockets are below the root directory")]
    EmptyRuntimeDir,
}
