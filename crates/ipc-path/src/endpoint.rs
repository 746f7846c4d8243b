//! The address at which a daemon listens, as text.

use std::fmt;

use thiserror::Error;

use crate::Platform;

/// A Unix socket path or a Windows pipe name, as the released rules derive it.
///
/// Any text can be an endpoint's name; [`check`](Self::check) tells if a socket or pipe can have it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint(String);

/// An endpoint name that cannot be used on this platform.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The name is empty.
    #[error("the endpoint name is empty")]
    Empty,
    /// The socket path is longer than the platform's `sun_path` holds.
    #[error("the socket path {path:?} has {len} bytes and this platform allows {limit}")]
    TooLong {
        /// The whole path, as recorded.
        path: String,
        /// Its length in bytes.
        len: usize,
        /// The most bytes that a socket path may have here.
        limit: usize,
    },
    /// The name contains a NUL byte.
    #[error("the endpoint name {0:?} contains a NUL byte")]
    Nul(String),
    /// The pipe name is longer than the system allows.
    #[error("the pipe name {name} has {len} characters and this platform allows {limit}")]
    PipeTooLong {
        /// The whole name.
        name: String,
        /// Its length in UTF-16 units.
        len: usize,
        /// The most units that a pipe name may have, its prefix included.
        limit: usize,
    },
    /// Not a pipe of this machine (`\\.\pipe\…`).
    #[error("\"{0}\" is not the name of a local pipe, which starts with \\\\.\\pipe\\")]
    NotALocalPipe(String),
}

impl Endpoint {
    /// The prefix of every local pipe's name on Windows.
    pub const PIPE_PREFIX: &str = r"\\.\pipe\";

    /// The most UTF-16 units of a pipe's name, the prefix included.
    const PIPE_LIMIT: usize = 256;

    /// Returns the most bytes of a usable socket path, without the final NUL.
    ///
    /// `None` where endpoints are not paths.
    #[must_use]
    pub const fn path_limit(platform: Platform) -> Option<usize> {
        match platform {
            Platform::Linux => Some(107),
            Platform::Macos => Some(103),
            Platform::Windows => None,
        }
    }

    /// Takes `name` as it is.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// Takes a name from a broker, and adds the pipe prefix if it is missing.
    #[must_use]
    pub fn of_broker(name: &str, platform: Platform) -> Self {
        match platform {
            Platform::Windows if !name.starts_with(Self::PIPE_PREFIX) => {
                Self(format!("{}{name}", Self::PIPE_PREFIX))
            }
            Platform::Windows | Platform::Linux | Platform::Macos => Self::new(name),
        }
    }

    /// Returns the name that system calls and messages use.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Checks that the name can be used on `platform`.
    ///
    /// The recorded name is never shortened to make it fit.
    ///
    /// # Errors
    ///
    /// [`EndpointError`], which carries the name and the limit it breaks.
    pub fn check(&self, platform: Platform) -> Result<(), EndpointError> {
        if self.0.is_empty() {
            return Err(EndpointError::Empty);
        }
        if self.0.contains('\0') {
            return Err(EndpointError::Nul(self.0.clone()));
        }
        match Self::path_limit(platform) {
            Some(limit) if self.0.len() > limit => {
                Err(EndpointError::TooLong { path: self.0.clone(), len: self.0.len(), limit })
            }
            Some(_) => Ok(()),
            None if self.0.starts_with(Self::PIPE_PREFIX) && self.0.len() > Self::PIPE_PREFIX.len() => {
                match self.0.encode_utf16().count() {
                    len if len > Self::PIPE_LIMIT => {
                        Err(EndpointError::PipeTooLong { name: self.0.clone(), len, limit: Self::PIPE_LIMIT })
                    }
                    _ => Ok(()),
                }
            }
            None => Err(EndpointError::NotALocalPipe(self.0.clone())),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Endpoint {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<String> for Endpoint {
    fn from(name: String) -> Self {
        Self(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_name_has_a_prefix_and_at_most_256_units() {
        let check = |name: &str| Endpoint::new(name).check(Platform::Windows);
        let filled = |unit: &str, count: usize| format!(r"\\.\pipe\{}", unit.repeat(count));
        assert_eq!(check(&filled("x", 247)), Ok(()));
        assert_eq!(check(&filled("ä", 247)), Ok(()));
        for (name, len) in [(filled("x", 248), 257), (filled("😀", 124), 257)] {
            assert_eq!(check(&name), Err(EndpointError::PipeTooLong { name: name.clone(), len, limit: 256 }));
        }
        for name in [r"\\.\pipe\", r"\\server\pipe\x", "/tmp/x"] {
            assert_eq!(check(name), Err(EndpointError::NotALocalPipe(name.to_owned())));
        }
    }
}
