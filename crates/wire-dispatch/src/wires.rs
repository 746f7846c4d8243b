//! Which version numbers stand for which codec, and which of them are spoken.

use wire_frame::Version;

use crate::Lane;

/// How a body is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// bincode 1 (`wire-v15`).
    Bincode,
    /// protobuf (`wire-v16`).
    Protobuf,
}

/// The numbers that each codec is served under. A release whose messages are a superset gets a row.
const SERVED: &[(Version, Codec)] = &[(Version::V15, Codec::Bincode), (Version::V16, Codec::Protobuf)];

/// The numbers of later releases (`docs/spec/generations.md#releases`), which are refused in their own number
/// and codec so that their clients can read it.
const REFUSED_IN_KIND: &[(Version, Codec)] = &[
    (Version(17), Codec::Bincode),
    (Version(23), Codec::Bincode),
    (Version(24), Codec::Protobuf),
    (Version(26), Codec::Protobuf),
];

/// Which wires a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Wires {
    v15: bool,
    v16: bool,
}

impl Wires {
    /// All of them.
    pub const ALL: Self = Self { v15: true, v16: true };
    /// v15 alone, as the releases up to 1.11.21.
    pub const V15: Self = Self { v15: true, v16: false };
    /// v16 alone, in both framings.
    pub const V16: Self = Self { v15: false, v16: true };

    /// Whether `lane` is spoken.
    #[must_use]
    pub const fn speaks(self, lane: Lane) -> bool {
        match lane {
            Lane::V15 => self.v15,
            Lane::V16 | Lane::FrameV1 => self.v16,
        }
    }

    /// The codec of frames with this version, if they are spoken.
    #[must_use]
    pub fn codec(self, version: Version) -> Option<Codec> {
        let codec = in_table(SERVED, version)?;
        let spoken = match codec {
            Codec::Bincode => self.v15,
            Codec::Protobuf => self.v16,
        };
        spoken.then_some(codec)
    }

    /// The newest version that is spoken, for refusals.
    #[must_use]
    pub const fn newest(self) -> Version {
        if self.v16 { Version::V16 } else { Version::V15 }
    }
}

/// The codec in which a frame of a version that is not spoken is refused under its own number.
#[must_use]
pub fn refused_in_kind(version: Version) -> Option<Codec> {
    in_table(REFUSED_IN_KIND, version)
}

fn in_table(table: &[(Version, Codec)], version: Version) -> Option<Codec> {
    table.iter().find(|(number, _)| *number == version).map(|(_, codec)| *codec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_served_or_refused_in_kind_and_never_both() {
        for number in 0..64 {
            let version = Version(number);
            let served = Wires::ALL.codec(version).is_some();
            assert_eq!(served, matches!(number, 15 | 16), "{version}");
            assert!(!(served && refused_in_kind(version).is_some()), "{version}");
        }
        assert_eq!(Wires::V15.codec(Version::V16), None);
        assert_eq!(Wires::V16.codec(Version::V15), None);
    }
}
