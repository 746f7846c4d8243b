//! The three ways in which a message can travel.

use std::fmt;

/// A wire and its framing (`docs/spec/wire.md#lanes`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// bincode bodies in header frames.
    V15,
    /// protobuf bodies in header frames.
    V16,
    /// The same protobuf bodies in running-process frames.
    FrameV1,
}

impl Lane {
    /// Every lane.
    pub const ALL: [Self; 3] = [Self::V15, Self::V16, Self::FrameV1];

    /// Returns the lane's name in options, logs and the JSON form of messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V15 => "v15",
            Self::V16 => "v16",
            Self::FrameV1 => "frame_v1",
        }
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
