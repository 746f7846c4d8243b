//! Problems with names that are used nevertheless.

use thiserror::Error;

use crate::locate_error::Setting;
use crate::variable::Variable;
use ipc_path::EndpointError;

/// A setting of the environment that makes its names fail or surprise.
///
/// Names are derived nevertheless, as the released programs do.
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
        /// The setting that gave the path.
        setting: Setting,
        /// The path as given.
        recorded: String,
        /// The absolute path that is used.
        used: String,
    },
    /// No variable names the home directory, so the current directory replaces it.
    #[error("neither HOME nor USERPROFILE is set, so the cache is below the current directory {used:?}")]
    NoHome {
        /// The current directory.
        used: String,
    },
    /// A variable is ignored because its value is not UTF-8.
    #[error("{0} is not valid UTF-8 and is ignored")]
    Ignored(Variable),
    /// The user's name is missing or empty, so all such users share one name.
    #[error("{variable} is missing or empty, so the endpoint is not this user's own: {name:?} is used")]
    NoUser {
        /// The variable that should hold the name.
        variable: Variable,
        /// The name that is used instead.
        name: String,
    },
    /// `USER` contains a `/`, so the socket is outside the user's own directory.
    #[error("USER is {0:?}, whose slash puts the socket in another directory")]
    UserIsAPath(String),
    /// `XDG_RUNTIME_DIR` is set to the empty string, so sockets are below the root directory.
    #[error("XDG_RUNTIME_DIR is set but empty, so sockets are below the root directory")]
    EmptyRuntimeDir,
}
