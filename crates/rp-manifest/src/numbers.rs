//! The named numbers of a cache manifest.

use std::fmt;

/// The content of a cache directory. An unknown number is still a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RootKind(pub i32);

impl RootKind {
    /// Cached data.
    pub const DATA: Self = Self(1);
    /// Logs.
    pub const LOGS: Self = Self(2);
    /// Pid files, lock files, sockets.
    pub const LOCKS: Self = Self(3);
    /// Temporary files.
    pub const TMP: Self = Self(5);
    /// An index with its own limits.
    pub const INDEX: Self = Self(7);
}

impl fmt::Display for RootKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            1 => "data",
            2 => "logs",
            3 => "locks",
            4 => "runtime",
            5 => "tmp",
            6 => "config",
            7 => "index",
            8 => "journal",
            9 => "secrets",
            other => return write!(f, "kind {other}"),
        })
    }
}

/// The rule for running-process's cleanup of a directory.
///
/// An unknown number is still a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Disposition(pub i32);

impl Disposition {
    /// `prune` and `uninstall` delete the directory, even while a daemon lives.
    pub const PRUNE_ON_UNINSTALL: Self = Self(0);
    /// Neither command deletes the directory.
    pub const PRESERVE_ACROSS_UNINSTALL: Self = Self(1);
    /// Neither command deletes the directory, because it holds the user's data.
    pub const NEVER_PRUNE: Self = Self(3);

    /// Returns true if `prune` and `uninstall` delete the directory.
    ///
    /// They spare two numbers only.
    #[must_use]
    pub fn is_prunable(self) -> bool {
        ![Self::PRESERVE_ACROSS_UNINSTALL, Self::NEVER_PRUNE].contains(&self)
    }
}

impl fmt::Display for Disposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            0 => "prune-on-uninstall",
            1 => "preserve-across-uninstall",
            2 => "prune-when-dormant",
            3 => "never-prune",
            4 => "prune-on-crash",
            other => return write!(f, "disposition {other}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use running_process::daemon_registration::protocol::{CacheRootKind, StorageDisposition};

    use super::*;

    #[test]
    fn the_numbers_equal_those_of_the_library() {
        for (ours, theirs) in [
            (RootKind::DATA, CacheRootKind::CacheData),
            (RootKind::LOGS, CacheRootKind::CacheLogs),
            (RootKind::LOCKS, CacheRootKind::CacheLocks),
            (RootKind::TMP, CacheRootKind::CacheTmp),
            (RootKind::INDEX, CacheRootKind::CacheIndex),
        ] {
            assert_eq!(ours.0, theirs as i32);
        }
        for (ours, theirs) in [
            (Disposition::PRUNE_ON_UNINSTALL, StorageDisposition::PruneOnUninstall),
            (Disposition::PRESERVE_ACROSS_UNINSTALL, StorageDisposition::PreserveAcrossUninstall),
            (Disposition::NEVER_PRUNE, StorageDisposition::NeverPrune),
        ] {
            assert_eq!(ours.0, theirs as i32);
        }
    }

    #[test]
    fn a_number_without_a_name_is_shown_and_counts_as_prunable() {
        assert_eq!(RootKind(77).to_string(), "kind 77");
        assert_eq!(Disposition(77).to_string(), "disposition 77");
        assert!(Disposition(77).is_prunable() && Disposition(2).is_prunable());
        assert!(!Disposition::NEVER_PRUNE.is_prunable());
    }
}
