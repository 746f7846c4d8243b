//! Which lane a client wants (`ZCCACHE_DAEMON_WIRE`).

use thiserror::Error;

use crate::Lane;

/// The lanes that a client may use (`docs/spec/wire.md#choosing-a-lane`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum WirePolicy {
    /// v16 where the daemon speaks it, else v15.
    #[default]
    Auto,
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
            Self::Auto => Lane::V16,
            Self::Only(lane) => lane,
        }
    }

    /// Returns the last lane to try; the final refusal names it.
    #[must_use]
    pub const fn last(self) -> Lane {
        match self {
            Self::Auto => Lane::V15,
            Self::Only(lane) => lane,
        }
    }

    /// Returns true if v15 may follow when the daemon refuses the first lane.
    #[must_use]
    pub const fn may_fall_back(self) -> bool {
        matches!(self, Self::Auto)
    }
}
