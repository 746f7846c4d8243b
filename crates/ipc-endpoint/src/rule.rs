//! Which rule chose an endpoint.

use std::fmt;

/// The rule by which an endpoint's name came about.
///
/// Rule: `docs/spec/endpoint.md#which-endpoint-a-program-uses`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// The caller named it.
    Argument,
    /// `ZCCACHE_ENDPOINT` named it; clients only.
    EndpointVariable,
    /// It is the endpoint of a private daemon, by name.
    PrivateName,
    /// It belongs to the cache directory that was asked for.
    CacheDir,
    /// It belongs to the cache directory that was asked for, whose path is too long to hold a socket.
    CacheDirCompacted,
    /// It is in `XDG_RUNTIME_DIR`.
    RuntimeDir,
    /// It is that of the user.
    UserName,
}

impl Rule {
    /// A fixed short name, for output that programs read.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Argument => "argument",
            Self::EndpointVariable => "env:ZCCACHE_ENDPOINT",
            Self::PrivateName => "private-name",
            Self::CacheDir => "cache-dir",
            Self::CacheDirCompacted => "cache-dir:compacted",
            Self::RuntimeDir => "env:XDG_RUNTIME_DIR",
            Self::UserName => "user",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Argument => "the endpoint was given as an argument",
            Self::EndpointVariable => "ZCCACHE_ENDPOINT names the endpoint",
            Self::PrivateName => "the endpoint is that of a private daemon, by its name",
            Self::CacheDir => "a cache directory was given, and the endpoint belongs to it",
            Self::CacheDirCompacted => {
                "a cache directory was given, and its socket path would exceed 100 bytes, so its id names the endpoint"
            }
            Self::RuntimeDir => "no cache directory was given, and XDG_RUNTIME_DIR is set",
            Self::UserName => "nothing else was given, so the user's name makes the endpoint",
        })
    }
}
