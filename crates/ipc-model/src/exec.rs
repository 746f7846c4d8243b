//! Cached runs of arbitrary tools.

use bytes::Bytes;

use crate::{ArtifactOutput, EnvVars, NormalizedPath};

/// A run of a tool whose inputs and outputs the client declares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct GenericToolExec {
    /// Path of the tool.
    pub tool: NormalizedPath,
    /// Arguments of the tool, without the tool itself.
    pub args: Vec<String>,
    /// Working directory of the tool.
    pub cwd: NormalizedPath,
    /// Environment variables that the client selected.
    pub env: EnvVars,
    /// Files that the result depends on.
    pub input_files: Vec<NormalizedPath>,
    /// Further bytes that the result depends on.
    #[cfg_attr(feature = "serde", serde(with = "crate::form::bytes"))]
    pub input_extra: Bytes,
    /// Output streams that belong to the result.
    pub output_streams: ExecOutputStreams,
    /// Files that the tool writes.
    pub output_files: Vec<NormalizedPath>,
    /// Hash used for the tool in the key, instead of the hash of its file.
    #[cfg_attr(feature = "serde", serde(default, with = "crate::form::optional_hash"))]
    pub tool_hash: Option<[u8; 32]>,
    /// Use of the cache.
    pub cache_policy: ExecCachePolicy,
    /// True if the working directory is part of the key.
    pub cwd_in_key: bool,
    /// Sources whose included files the daemon finds and hashes.
    pub include_scan_files: Vec<NormalizedPath>,
    /// Directories searched for `#include` of either form.
    pub include_dirs: Vec<NormalizedPath>,
    /// Directories searched last.
    pub system_include_dirs: Vec<NormalizedPath>,
    /// Directories searched for `#include "…"` only.
    pub iquote_dirs: Vec<NormalizedPath>,
    /// Depfile: a file in which the tool lists the files that it read.
    pub depfile: Option<NormalizedPath>,
    /// True if equal runs of the tool may differ in their output.
    pub non_deterministic: bool,
    /// Arguments that are not part of the key.
    pub key_args_filter: Vec<String>,
}

/// Selects the output streams of a tool that belong to its cached result.
///
/// By default, both streams do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct ExecOutputStreams {
    /// True if standard output belongs to the result.
    pub stdout: bool,
    /// True if standard error belongs to the result.
    pub stderr: bool,
}

impl Default for ExecOutputStreams {
    fn default() -> Self {
        Self { stdout: true, stderr: true }
    }
}

/// Use of the cache by a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub enum ExecCachePolicy {
    /// Reads and writes the cache.
    #[default]
    Normal,
    /// Neither reads nor writes the cache.
    Bypass,
    /// Only reads the cache.
    ReadOnly,
}

/// Result of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct GenericToolExecResult {
    /// Exit code of the tool.
    pub exit_code: i32,
    /// Standard output of the tool.
    #[cfg_attr(feature = "serde", serde(with = "crate::form::bytes"))]
    pub stdout: Bytes,
    /// Standard error of the tool.
    #[cfg_attr(feature = "serde", serde(with = "crate::form::bytes"))]
    pub stderr: Bytes,
    /// Declared output files.
    pub output_files: Vec<ArtifactOutput>,
    /// True if the result came from the cache.
    pub cached: bool,
    /// Key of the result, in hex.
    pub cache_key_hex: String,
}

/// Asks for the stored result of work that clients do themselves.
///
/// The daemon hashes the description of the work to a key and looks the key up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct ExecProbe {
    /// Name of the work, part of the key.
    pub name: String,
    /// Files whose paths and contents are part of the key.
    pub input_files: Vec<NormalizedPath>,
    /// Variables that are part of the key.
    pub input_env: EnvVars,
    /// Further bytes that are part of the key.
    #[cfg_attr(feature = "serde", serde(with = "crate::form::bytes"))]
    pub input_extra: Bytes,
}

/// Answer to an [`ExecProbe`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct ExecProbeResult {
    /// Key of the description, 64 lower-case hex digits, for a following [`ExecStore`].
    pub cache_key_hex: String,
    /// Stored result; `None` is a miss, and an empty result is a hit.
    #[cfg_attr(feature = "serde", serde(default, with = "crate::form::optional_bytes"))]
    pub cached_bytes: Option<Bytes>,
}

/// Stores the result of work that the client did; replaces an earlier result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct ExecStore {
    /// Key, 64 lower-case hex digits.
    pub cache_key_hex: String,
    /// Result to store.
    #[cfg_attr(feature = "serde", serde(with = "crate::form::bytes"))]
    pub result_bytes: Bytes,
}

/// Answer to an [`ExecStore`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct ExecStoreAck {
    /// True if the result is stored.
    pub stored: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_default_both_streams_belong_to_the_result_as_in_the_released_packages() {
        let default = GenericToolExec::default();
        assert_eq!(default.output_streams, ExecOutputStreams { stdout: true, stderr: true });
        assert_eq!(default.cache_policy, ExecCachePolicy::Normal);
    }
}
