//! The rule that chose an endpoint.

use std::fmt;

/// The rule that chose an endpoint.
///
/// Rule: `docs/spec/endpoint.md#which-endpoint-a-program-uses`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// The caller named the endpoint.
    Argument,
    /// `ZCCACHE_ENDPOINT` named the endpoint; clients only.
    EndpointVariable,
    /// The endpoint belongs to a private daemon with a name.
    PrivateName,
    /// The endpoint belongs to the cache directory of the caller or of `ZCCACHE_CACHE_DIR`.
    CacheDir,
    /// As `CacheDir`, but the directory's path is too long to hold a socket.
    CacheDirCompacted,
    /// The endpoint is in `XDG_RUNTIME_DIR`.
    RuntimeDir,
    /// The endpoint is made from the user's name.
    UserName,
}

impl Rule {
    /// Returns a fixed short name, for output that programs read.
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
            Self::PrivateName => "the daemon is private, and its name makes the endpoint",
            Self::CacheDir => "a cache directory was given, and the endpoint belongs to it",
            Self::CacheDirCompacted => {
                "a cache directory was given, and its socket path would exceed 100 bytes, so its id names the endpoint"
            }
            Self::RuntimeDir => "no cache directory was given, and XDG_RUNTIME_DIR is set",
            Self::UserName => "nothing else was given, so the user's name makes the endpoint",
        })
    }
}
