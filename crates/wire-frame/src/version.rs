//! The version number of a frame.

use std::fmt;

/// The number of a frame's encoding. An unknown number is still a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u32);

impl Version {
    /// The bincode wire.
    pub const V15: Self = Self(15);
    /// The protobuf wire.
    pub const V16: Self = Self(16);
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_displayed_with_a_leading_v() {
        assert_eq!(Version(u32::MAX).to_string(), "v4294967295");
    }
}
