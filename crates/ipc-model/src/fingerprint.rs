//! Fingerprints of files, to detect changes since the last success.

use crate::NormalizedPath;

/// Asks whether the files under a root changed since the last recorded success.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct FingerprintCheck {
    /// File that holds the fingerprint.
    pub cache_file: NormalizedPath,
    /// Method of comparison, for example `hash` or `two-layer`.
    pub cache_type: String,
    /// Root directory of the files.
    pub root: NormalizedPath,
    /// Extensions of the files that belong to the fingerprint.
    pub extensions: Vec<String>,
    /// Globs of the files that belong to the fingerprint.
    pub include_globs: Vec<String>,
    /// Directory names and globs of the files that do not belong to the fingerprint.
    pub exclude: Vec<String>,
}

/// Names the fingerprint of a mark or an invalidation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct FingerprintFile {
    /// File that holds the fingerprint.
    pub cache_file: NormalizedPath,
}

/// Answer to a fingerprint check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct FingerprintCheckResult {
    /// Decision, for example `run` or `skip`.
    pub decision: String,
    /// Reason of the decision.
    pub reason: Option<String>,
    /// Files that changed.
    pub changed_files: Vec<String>,
}
