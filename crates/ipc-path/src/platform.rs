//! The platform whose rules apply, as a value.

/// A platform whose naming and path rules differ.
///
/// Other Unix systems follow the Linux rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Platform {
    /// Linux and every Unix that is not macOS: paths are bytes, compared exactly.
    Linux,
    /// macOS: paths are compared without regard to case.
    Macos,
    /// Windows: two separators, prefixes, and paths compared without regard to ASCII case.
    Windows,
}

impl Platform {
    /// The platform for which this program was built.
    pub const CURRENT: Self = match std::env::consts::OS.as_bytes() {
        b"windows" => Self::Windows,
        b"macos" => Self::Macos,
        _ => Self::Linux,
    };

    /// Returns true if endpoints are Unix domain sockets, not named pipes.
    #[must_use]
    pub const fn is_unix(self) -> bool {
        matches!(self, Self::Linux | Self::Macos)
    }
}
