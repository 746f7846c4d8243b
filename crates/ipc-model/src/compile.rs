//! Compiling and linking.

use bytes::Bytes;

use crate::{EnvVars, NormalizedPath};

/// A compilation within a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Compile {
    /// Session that counts this compilation.
    pub session_id: String,
    /// Arguments of the compiler, without the compiler itself.
    pub args: Vec<String>,
    /// Working directory of the tool.
    pub cwd: NormalizedPath,
    /// Path of the compiler.
    pub compiler: NormalizedPath,
    /// Complete environment of the tool; `None` uses the daemon's environment.
    pub env: Option<EnvVars>,
    /// Standard input of the compiler.
    #[cfg_attr(feature = "serde", serde(with = "crate::form::bytes"))]
    pub stdin: Bytes,
}

/// A compilation outside of any session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct CompileEphemeral {
    /// Process id of the client.
    pub client_pid: u32,
    /// Directory of the build.
    pub working_dir: NormalizedPath,
    /// Path of the compiler.
    pub compiler: NormalizedPath,
    /// Arguments of the compiler, without the compiler itself.
    pub args: Vec<String>,
    /// Working directory of the tool.
    pub cwd: NormalizedPath,
    /// Complete environment of the tool; `None` uses the daemon's environment.
    pub env: Option<EnvVars>,
    /// Standard input of the compiler.
    #[cfg_attr(feature = "serde", serde(with = "crate::form::bytes"))]
    pub stdin: Bytes,
}

/// A link or archive step outside of any session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct LinkEphemeral {
    /// Process id of the client.
    pub client_pid: u32,
    /// Path of the linker or archiver.
    pub tool: NormalizedPath,
    /// Arguments of the tool, without the tool itself.
    pub args: Vec<String>,
    /// Working directory of the tool.
    pub cwd: NormalizedPath,
    /// Complete environment of the tool; `None` uses the daemon's environment.
    pub env: Option<EnvVars>,
}

/// Result of a compilation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct CompileResult {
    /// Exit code of the compiler.
    pub exit_code: i32,
    /// Standard output of the tool.
    #[cfg_attr(feature = "serde", serde(with = "crate::form::bytes"))]
    pub stdout: Bytes,
    /// Standard error of the tool.
    #[cfg_attr(feature = "serde", serde(with = "crate::form::bytes"))]
    pub stderr: Bytes,
    /// True if the result came from the cache.
    pub cached: bool,
}

/// Result of a link step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct LinkResult {
    /// Exit code of the tool.
    pub exit_code: i32,
    /// Standard output of the tool.
    #[cfg_attr(feature = "serde", serde(with = "crate::form::bytes"))]
    pub stdout: Bytes,
    /// Standard error of the tool.
    #[cfg_attr(feature = "serde", serde(with = "crate::form::bytes"))]
    pub stderr: Bytes,
    /// True if the result came from the cache.
    pub cached: bool,
    /// Warning for the user, for example that the output is not reproducible.
    pub warning: Option<String>,
}

/// State of a running compilation.
///
/// The final response follows on the same connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct CompileProgress {
    /// Number of compilations that wait ahead of this compilation.
    pub queue_position: u32,
    /// Number of compilations that wait for a permit.
    pub queue_depth: u32,
    /// Number of compilations that hold a permit.
    pub in_flight: u32,
    /// `queued` or `compiling`; later releases may use other words.
    pub phase: String,
}
