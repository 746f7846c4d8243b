//! The generations of the protobuf bodies: header numbers, and what each number carries.

use ipc_model::{RequestKind, ResponseKind};
use wire_frame::Version;

/// A header number under which protobuf bodies travel.
///
/// Fields are only ever added and unknown fields are ignored, so every generation is written and read as the
/// newest. The number decides only which messages its peers know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(u32);

impl Generation {
    /// Releases 1.11.22 to 1.12.15.
    pub const V16: Self = Self(16);
    /// Releases 1.12.16 and 1.12.17.
    pub const V19: Self = Self(19);
    /// Releases 1.13.1 to 1.13.5: `ExecProbe`, `ExecStore` and `CompileProgress`.
    pub const V24: Self = Self(24);

    /// Every generation, oldest first.
    pub const ALL: [Self; 3] = [Self::V16, Self::V19, Self::V24];

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

    /// Returns the first generation that has such a request.
    #[must_use]
    pub const fn of_request(kind: RequestKind) -> Self {
        match kind {
            RequestKind::ExecProbe | RequestKind::ExecStore => Self::V24,
            _ => Self::V16,
        }
    }

    /// Returns the first generation that has such a response.
    #[must_use]
    pub const fn of_response(kind: ResponseKind) -> Self {
        match kind {
            ResponseKind::ExecProbeResult | ResponseKind::ExecStoreAck | ResponseKind::CompileProgress => {
                Self::V24
            }
            _ => Self::V16,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_numbers_of_protobuf_bodies_name_a_generation() {
        let known: Vec<u32> = (0..64).filter(|number| Generation::of(Version(*number)).is_some()).collect();
        assert_eq!(known, [16, 19, 24]);
    }
}
