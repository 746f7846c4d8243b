//! Which lane a client wants (`ZCCACHE_DAEMON_WIRE`).

use ipc_model::RequestKind;
use thiserror::Error;

use crate::Lane;

/// The lanes that a client may use (`docs/spec/wire.md#choosing-a-lane`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum WirePolicy {
    /// v16 where the daemon speaks it, else v15.
    #[default]
    Auto,
    /// [`Auto`](Self::Auto) for the control slice and v15 for every other request, as the released clients.
    ///
    /// For a program whose daemons and tests expect the lanes of the released clients.
    AsReleased,
    /// This lane and no other.
    Only(Lane),
}

/// A value of `ZCCACHE_DAEMON_WIRE` that names no policy.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("invalid ZCCACHE_DAEMON_WIRE={0:?}; expected auto, bincode, prost, or frame")]
pub struct UnknownWire(
    /// The value, trimmed and in lower case.
    pub String,
);

impl WirePolicy {
    /// Parses the value of `ZCCACHE_DAEMON_WIRE`.
    ///
    /// No value, an empty value and a blank value are [`Auto`](Self::Auto).
    ///
    /// # Errors
    ///
    /// [`UnknownWire`], with the text of the released clients.
    pub fn parse(value: Option<&str>) -> Result<Self, UnknownWire> {
        let value = value.unwrap_or_default().trim().to_ascii_lowercase();
        Ok(match value.as_str() {
            "" | "auto" => Self::Auto,
            "bincode" | "bincode-v15" | "v15" => Self::Only(Lane::V15),
            "prost" | "prost-v16" | "v16" => Self::Only(Lane::V16),
            "frame" | "frame-v1" => Self::Only(Lane::FrameV1),
            _ => return Err(UnknownWire(value)),
        })
    }

    /// Returns the first lane to try with an unknown daemon.
    #[must_use]
    pub const fn first(self) -> Lane {
        match self {
            Self::Auto | Self::AsReleased => Lane::V16,
            Self::Only(lane) => lane,
        }
    }

    /// Returns the last lane to try; the final refusal names it.
    #[must_use]
    pub const fn last(self) -> Lane {
        match self {
            Self::Auto | Self::AsReleased => Lane::V15,
            Self::Only(lane) => lane,
        }
    }

    /// Returns the released clients' policy for requests that are no control.
    ///
    /// Their variable names a lane, or they speak v15 (`docs/spec/wire.md#choosing-a-lane`).
    #[must_use]
    pub const fn full_family(self) -> Self {
        match self {
            Self::Auto | Self::AsReleased => Self::Only(Lane::V15),
            Self::Only(lane) => Self::Only(lane),
        }
    }

    /// Returns the policy for requests of this kind.
    pub(crate) const fn for_kind(self, request: RequestKind) -> Self {
        match self {
            Self::AsReleased if wire_v16::control::accepts_request(request) => Self::Auto,
            Self::AsReleased => self.full_family(),
            Self::Auto | Self::Only(_) => self,
        }
    }

    /// Returns true if v15 may follow when the daemon refuses the first lane.
    #[must_use]
    pub const fn may_fall_back(self) -> bool {
        matches!(self, Self::Auto | Self::AsReleased)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_of_the_variable_selects_its_lanes() {
        let check = |words: &[&str], expected| {
            for word in words {
                assert_eq!(WirePolicy::parse(Some(word)), Ok(expected), "{word:?}");
            }
        };
        assert_eq!(WirePolicy::parse(None), Ok(WirePolicy::Auto));
        check(&["", " ", "auto", " AUTO "], WirePolicy::Auto);
        check(&["bincode", "bincode-v15", "v15"], WirePolicy::Only(Lane::V15));
        check(&["prost", "prost-v16", "v16"], WirePolicy::Only(Lane::V16));
        check(&["frame", "frame-v1"], WirePolicy::Only(Lane::FrameV1));
        assert_eq!(WirePolicy::parse(Some(" Nope ")), Err(UnknownWire("nope".to_owned())));
        assert_eq!(Lane::ALL.map(|lane| lane.to_string()), ["v15", "v16", "frame_v1"]);
    }
}
