//! The reasons of a lookup, for people.

use crate::check::Differs;

/// The parts of a key, and the differences that kept sets of inputs from matching.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Explanation {
    /// The key of the manifest.
    pub key: String,
    /// Names and values of the parts.
    pub parts: Vec<(&'static str, String)>,
    /// The first difference of each set of inputs, newest set first.
    pub differs: Vec<Differs>,
}
