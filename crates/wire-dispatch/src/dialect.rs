//! A lane and the generation of its bodies.

use std::fmt;

use wire_frame::Version;

use crate::Lane;

/// The form of a frame: a header number with its kind of body, or FrameV1.
///
/// FrameV1 has no number: every release accepts the FrameV1 frames of every other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// bincode bodies in header frames.
    Bincode(wire_v15::Generation),
    /// protobuf bodies in header frames.
    Protobuf(wire_v16::Generation),
    /// protobuf bodies in running-process frames.
    FrameV1,
}

/// The bincode and the protobuf number of each row of releases, oldest first.
///
/// Rule: `docs/spec/generations.md#releases`.
const RELEASES: [(wire_v15::Generation, wire_v16::Generation); 4] = [
    (wire_v15::Generation::V15, wire_v16::Generation::V16),
    (wire_v15::Generation::V17, wire_v16::Generation::V16),
    (wire_v15::Generation::V18, wire_v16::Generation::V19),
    (wire_v15::Generation::V23, wire_v16::Generation::V24),
];

impl Dialect {
    /// Header number 15.
    pub const V15: Self = Self::Bincode(wire_v15::Generation::V15);
    /// Header number 16.
    pub const V16: Self = Self::Protobuf(wire_v16::Generation::V16);

    /// Every dialect.
    pub const ALL: [Self; 8] = [
        Self::Bincode(wire_v15::Generation::V15),
        Self::Bincode(wire_v15::Generation::V17),
        Self::Bincode(wire_v15::Generation::V18),
        Self::Bincode(wire_v15::Generation::V23),
        Self::Protobuf(wire_v16::Generation::V16),
        Self::Protobuf(wire_v16::Generation::V19),
        Self::Protobuf(wire_v16::Generation::V24),
        Self::FrameV1,
    ];

    /// Returns the dialect of header frames with this number.
    ///
    /// `None` for an unknown number.
    #[must_use]
    #[inline]
    pub fn of(version: Version) -> Option<Self> {
        let bincode = wire_v15::Generation::of(version).map(Self::Bincode);
        bincode.or_else(|| wire_v16::Generation::of(version).map(Self::Protobuf))
    }

    /// Returns the lane.
    #[must_use]
    #[inline]
    pub const fn lane(self) -> Lane {
        match self {
            Self::Bincode(_) => Lane::V15,
            Self::Protobuf(_) => Lane::V16,
            Self::FrameV1 => Lane::FrameV1,
        }
    }

    /// Returns the header number; `None` for FrameV1.
    #[must_use]
    #[inline]
    pub const fn version(self) -> Option<Version> {
        match self {
            Self::Bincode(generation) => Some(generation.version()),
            Self::Protobuf(generation) => Some(generation.version()),
            Self::FrameV1 => None,
        }
    }

    /// Returns the dialect on `lane` of a daemon that answered in this one.
    ///
    /// Number 16 stands for two generations of bincode; the older one is returned.
    #[must_use]
    pub fn on(self, lane: Lane) -> Option<Self> {
        let (bincode, protobuf) = match self {
            Self::Bincode(generation) => RELEASES.into_iter().find(|(bincode, _)| *bincode == generation)?,
            Self::Protobuf(generation) => RELEASES.into_iter().find(|(_, other)| *other == generation)?,
            Self::FrameV1 => return (lane == Lane::FrameV1).then_some(Self::FrameV1),
        };
        Some(match lane {
            Lane::V15 => Self::Bincode(bincode),
            Lane::V16 => Self::Protobuf(protobuf),
            Lane::FrameV1 => Self::FrameV1,
        })
    }

    /// Returns the place in [`ALL`](Self::ALL).
    #[must_use]
    #[inline]
    pub fn index(self) -> usize {
        match self {
            Self::Bincode(wire_v15::Generation::V15) => 0,
            Self::Bincode(wire_v15::Generation::V17) => 1,
            Self::Bincode(wire_v15::Generation::V18) => 2,
            Self::Bincode(_) => 3,
            Self::Protobuf(wire_v16::Generation::V16) => 4,
            Self::Protobuf(wire_v16::Generation::V19) => 5,
            Self::Protobuf(_) => 6,
            Self::FrameV1 => 7,
        }
    }
}

/// The oldest generation of the lane, from which the lane has its name.
impl From<Lane> for Dialect {
    fn from(lane: Lane) -> Self {
        match lane {
            Lane::V15 => Self::V15,
            Lane::V16 => Self::V16,
            Lane::FrameV1 => Self::FrameV1,
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.version() {
            Some(version) => version.fmt(f),
            None => Lane::FrameV1.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialect_is_shown_by_its_lane_or_number() {
        let shown = [Dialect::V15, Dialect::V16, Dialect::FrameV1].map(|dialect| dialect.to_string());
        assert_eq!(shown, ["v15", "v16", "frame_v1"]);
    }

    #[test]
    fn the_index_is_the_place_in_the_list() {
        for (place, dialect) in Dialect::ALL.into_iter().enumerate() {
            assert_eq!(dialect.index(), place, "{dialect}");
        }
    }

    #[test]
    fn a_number_is_of_one_dialect() {
        let mut numbers: Vec<u32> =
            (0..300).filter(|number| Dialect::of(Version(*number)).is_some()).collect();
        assert_eq!(numbers, [15, 16, 17, 18, 19, 23, 24]);
        let mut listed: Vec<u32> =
            Dialect::ALL.into_iter().filter_map(Dialect::version).map(|version| version.0).collect();
        numbers.sort_unstable();
        listed.sort_unstable();
        assert_eq!(listed, numbers);
        for dialect in Dialect::ALL {
            assert_eq!(dialect.version().map_or(Some(Dialect::FrameV1), Dialect::of), Some(dialect));
        }
    }

    #[test]
    fn a_number_selects_the_dialects_of_the_other_lanes() {
        let check = |from: u32, bincode: u32, protobuf: u32| {
            let from = Dialect::of(Version(from)).expect("known");
            let on = |lane| from.on(lane).and_then(Dialect::version).map(|version| version.0);
            assert_eq!((on(Lane::V15), on(Lane::V16)), (Some(bincode), Some(protobuf)), "{from}");
            assert_eq!(from.on(Lane::FrameV1), Some(Dialect::FrameV1));
        };
        check(15, 15, 16);
        check(16, 15, 16);
        check(17, 17, 16);
        check(18, 18, 19);
        check(19, 18, 19);
        check(23, 23, 24);
        check(24, 23, 24);
        assert_eq!(Dialect::FrameV1.on(Lane::V16), None);
    }
}
