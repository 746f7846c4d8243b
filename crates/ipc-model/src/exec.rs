//! Cached runs of arbitrary tools.

use bytes::Bytes;

use crate::{ArtifactOutput, EnvVars, NormalizedPath};

/// A run of a tool whose inputs and outputs the client declares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GenericToolExec {
    /// The tool to run.
    pub tool: NormalizedPath,
    /// Its arguments, without the tool itself.
    pub args: Vec<String>,
    /// The directory to run in.
    pub cwd: NormalizedPath,
    /// The selected environment variables.
    pub env: EnvVars,
    /// The files that the result depends on.
    pub input_files: Vec<NormalizedPath>,
    /// Further bytes that the result depends on.
    pub input_extra: Bytes,
    /// Which output streams belong to the result.
    pub output_streams: ExecOutputStreams,
    /// The files that the tool writes.
    pub output_files: Vec<NormalizedPath>,
    /// A hash that stands for the tool, in place of its file.
    pub tool_hash: Option<[u8; 32]>,
    /// Whether the cache is read and written.
    pub cache_policy: ExecCachePolicy,
    /// Whether the directory is part of the key.
    pub cwd_in_key: bool,
    /// Sources whose includes are found and hashed.
    pub include_scan_files: Vec<NormalizedPath>,
    /// Directories searched for `#include` of either form.
    pub include_dirs: Vec<NormalizedPath>,
    /// Directories searched last.
    pub system_include_dirs: Vec<NormalizedPath>,
    /// Directories searched for `#include "…"` only.
    pub iquote_dirs: Vec<NormalizedPath>,
    /// A file in which the tool lists what it read.
    pub depfile: Option<NormalizedPath>,
    /// Whether the tool's output differs between equal runs.
    pub non_deterministic: bool,
    /// Arguments that are left out of the key.
    pub key_args_filter: Vec<String>,
}

/// Which output streams of a tool belong to its cached result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ExecOutputStreams {
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
}

/// Whether a run reads and writes the cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ExecCachePolicy {
    /// Reads and writes it.
    #[default]
    Normal,
    /// Does neither.
    Bypass,
    /// Reads it only.
    ReadOnly,
}

/// How a run ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GenericToolExecResult {
    /// The tool's exit code.
    pub exit_code: i32,
    /// What it wrote to standard output.
    pub stdout: Bytes,
    /// What it wrote to standard error.
    pub stderr: Bytes,
    /// The declared output files.
    pub output_files: Vec<ArtifactOutput>,
    /// Whether the result came from the cache.
    pub cached: bool,
    /// The key of the result, in hex.
    pub cache_key_hex: String,
}

/// Asks for the result that a client stored under a key that it describes.
///
/// The client does the work itself; the daemon hashes the description and looks the result up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExecProbe {
    /// Name of the work, part of the key.
    pub name: String,
    /// Files whose paths and contents are part of the key.
    pub input_files: Vec<NormalizedPath>,
    /// Variables that are part of the key.
    pub input_env: EnvVars,
    /// Further bytes that are part of the key.
    pub input_extra: Bytes,
}

/// Answer to an [`ExecProbe`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExecProbeResult {
    /// Key of the description, 64 lower-case hex digits, for a following [`ExecStore`].
    pub cache_key_hex: String,
    /// Stored result; `None` is a miss, and an empty result is a hit.
    pub cached_bytes: Option<Bytes>,
}

/// Stores the result of work that the client did itself; replaces an earlier result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExecStore {
    /// Key, 64 lower-case hex digits.
    pub cache_key_hex: String,
    /// Result to store.
    pub result_bytes: Bytes,
}

/// Answer to an [`ExecStore`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ExecStoreAck {
    /// Whether the result is stored.
    pub stored: bool,
}
