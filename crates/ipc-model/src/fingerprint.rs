//! Fingerprints: has anything changed since the last success?

use crate::NormalizedPath;

/// Asks whether the files under a root changed since the last recorded success.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FingerprintCheck {
    /// Where the fingerprint is kept.
    pub cache_file: NormalizedPath,
    /// How files are compared, for example `hash` or `two-layer`.
    pub cache_type: String,
    /// The directory that is watched.
    pub root: NormalizedPath,
    /// The file name extensions that count.
    pub extensions: Vec<String>,
    /// The globs that count.
    pub include_globs: Vec<String>,
    /// What does not count.
    pub exclude: Vec<String>,
}

/// Names the fingerprint that a mark or an invalidation is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FingerprintFile {
    /// Where the fingerprint is kept.
    pub cache_file: NormalizedPath,
}

/// The answer to a fingerprint check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FingerprintCheckResult {
    /// What to do, for example `run` or `skip`.
    pub decision: String,
    /// Why.
    pub reason: Option<String>,
    /// The files that changed.
    pub changed_files: Vec<String>,
}
