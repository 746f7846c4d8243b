//! Which dialects a server speaks.

use wire_frame::Version;

use crate::{Dialect, Lane};

/// The set of dialects that a server or client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Wires(u8);

impl Wires {
    /// All of them.
    pub const ALL: Self = Self(0xff);
    /// Number 15 alone, as the releases up to 1.11.21.
    pub const V15: Self = Self(0b0000_0001);
    /// The bincode bodies alone: every number.
    pub const BINCODE: Self = Self(0b0000_1111);
    /// The protobuf bodies alone: every number, and FrameV1.
    pub const V16: Self = Self(0b1111_0000);

    /// The dialects that a client accepts in reply to bincode.
    ///
    /// Bincode of every generation, and FrameV1, because a daemon may refuse in it.
    pub const TO_BINCODE: Self = Self(0b1000_1111);

    /// Numbers 15 and 16, and FrameV1: releases 1.11.22 to 1.12.9.
    pub const V15_V16: Self = Self(0b1001_0001);
    /// Numbers 17 and 16, and FrameV1: releases 1.12.10 to 1.12.15.
    pub const V17_V16: Self = Self(0b1001_0010);
    /// Numbers 18 and 19, and FrameV1: releases 1.12.16 and 1.12.17.
    pub const V18_V19: Self = Self(0b1010_0100);
    /// Numbers 23 and 24, and FrameV1: releases 1.13.1 to 1.13.5.
    pub const V23_V24: Self = Self(0b1100_1000);

    /// Returns the set of these dialects, for a server that plays one release.
    #[must_use]
    pub fn of(dialects: &[Dialect]) -> Self {
        Self(dialects.iter().fold(0, |set, dialect| set | 1 << dialect.index()))
    }

    /// Returns true if `dialect` is spoken.
    #[must_use]
    #[inline]
    pub fn contains(self, dialect: Dialect) -> bool {
        self.0 & 1 << dialect.index() != 0
    }

    /// Returns true if some dialect of `lane` is spoken.
    #[must_use]
    #[inline]
    pub fn speaks(self, lane: Lane) -> bool {
        self.spoken().any(|dialect| dialect.lane() == lane)
    }

    /// Returns the dialect of header frames with this number, if it is spoken.
    #[must_use]
    #[inline]
    pub fn dialect(self, version: Version) -> Option<Dialect> {
        Dialect::of(version).filter(|dialect| self.contains(*dialect))
    }

    /// Returns the number that refusals name.
    ///
    /// The highest protobuf number, else the highest bincode number.
    #[must_use]
    pub fn newest(self) -> Version {
        let highest = |lane: Lane| {
            self.spoken().filter(|dialect| dialect.lane() == lane).filter_map(Dialect::version).max()
        };
        highest(Lane::V16).or_else(|| highest(Lane::V15)).unwrap_or(Version::V15)
    }

    fn spoken(self) -> impl Iterator<Item = Dialect> {
        Dialect::ALL.into_iter().filter(move |dialect| self.contains(*dialect))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_named_sets_have_the_dialects_in_their_names() {
        let numbers = |wires: Wires| -> Vec<u32> {
            (0..64).filter(|number| wires.dialect(Version(*number)).is_some()).collect()
        };
        assert_eq!(numbers(Wires::ALL), [15, 16, 17, 18, 19, 23, 24]);
        assert_eq!(numbers(Wires::V15), [15]);
        assert_eq!(numbers(Wires::V16), [16, 19, 24]);
        assert_eq!(numbers(Wires::BINCODE), [15, 17, 18, 23]);
        assert_eq!(numbers(Wires::V15_V16), [15, 16]);
        assert_eq!(numbers(Wires::V17_V16), [16, 17]);
        assert_eq!(numbers(Wires::V18_V19), [18, 19]);
        assert_eq!(numbers(Wires::V23_V24), [23, 24]);
        for release in [Wires::V15_V16, Wires::V17_V16, Wires::V18_V19, Wires::V23_V24] {
            assert!(release.speaks(Lane::FrameV1), "{release:?}");
        }
        assert!(Wires::ALL.speaks(Lane::FrameV1) && Wires::V16.speaks(Lane::FrameV1));
        assert!(!Wires::V15.speaks(Lane::FrameV1) && !Wires::V15.speaks(Lane::V16));
        assert!(!Wires::V16.speaks(Lane::V15));
        assert_eq!(Wires::of(&Dialect::ALL), Wires::ALL);
        assert_eq!(Wires::of(&[Dialect::V15]), Wires::V15);
    }

    #[test]
    fn a_dialect_that_is_listed_twice_is_spoken() {
        assert_eq!(Wires::of(&[Dialect::V15, Dialect::V15]), Wires::V15);
    }

    #[test]
    fn a_refusal_names_the_highest_protobuf_number() {
        assert_eq!(Wires::ALL.newest(), Version(24));
        assert_eq!(Wires::V16.newest(), Version(24));
        assert_eq!(Wires::V15.newest(), Version(15));
        assert_eq!(Wires::of(&[Dialect::V15, Dialect::V16, Dialect::FrameV1]).newest(), Version(16));
    }
}
