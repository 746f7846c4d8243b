//! The generations of the bincode bodies: header numbers, and what each number carries.

use wire_frame::Version;

/// A header number under which bincode bodies travel.
///
/// The shapes name the first generation of each later field and variant, so a new generation is a constant
/// here, its rows in `shape`, and its vectors.
///
/// Rule: `docs/spec/wire-v15.md#shapes-by-version-number`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(u32);

impl Generation {
    /// Releases up to 1.12.9.
    pub const V15: Self = Self(15);
    /// Releases 1.12.10 to 1.12.15.
    ///
    /// Adds `ExecProbe`, `ExecStore`, and lookup outcomes in statistics.
    pub const V17: Self = Self(17);
    /// Releases 1.12.16 and 1.12.17.
    ///
    /// Adds the figures of the staged store to phase profiles.
    pub const V18: Self = Self(18);
    /// Releases 1.13.1 to 1.13.5.
    ///
    /// Adds `CompileProgress`, and the watcher's health to `DaemonStatus`.
    pub const V23: Self = Self(23);

    /// Every generation, oldest first.
    pub const ALL: [Self; 4] = [Self::V15, Self::V17, Self::V18, Self::V23];
    /// The newest generation, which carries everything.
    pub const NEWEST: Self = Self::V23;

    /// Returns the generation with this header number; `None` for any other number.
    #[must_use]
    pub fn of(version: Version) -> Option<Self> {
        Self::ALL.into_iter().find(|generation| generation.version() == version)
    }

    /// Returns the header number.
    #[must_use]
    pub const fn version(self) -> Version {
        Version(self.0)
    }

    /// Returns true if something that generation `since` added is part of this one.
    pub const fn has(self, since: Self) -> bool {
        self.0 >= since.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_numbers_of_bincode_bodies_name_a_generation() {
        let known: Vec<u32> = (0..64).filter(|number| Generation::of(Version(*number)).is_some()).collect();
        assert_eq!(known, [15, 17, 18, 23]);
    }
}
