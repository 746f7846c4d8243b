//! Compiling and linking.

use bytes::Bytes;

use crate::{EnvVars, NormalizedPath};

/// A compilation within a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compile {
    /// The session that it counts in.
    pub session_id: String,
    /// The compiler's arguments, without the compiler itself.
    pub args: Vec<String>,
    /// The directory to run in.
    pub cwd: NormalizedPath,
    /// The compiler to run.
    pub compiler: NormalizedPath,
    /// The complete environment; `None` leaves the daemon's own.
    pub env: Option<EnvVars>,
    /// What the compiler reads from standard input.
    pub stdin: Bytes,
}

/// A compilation outside of any session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompileEphemeral {
    /// The process that asks.
    pub client_pid: u32,
    /// The directory of the build.
    pub working_dir: NormalizedPath,
    /// The compiler to run.
    pub compiler: NormalizedPath,
    /// The compiler's arguments, without the compiler itself.
    pub args: Vec<String>,
    /// The directory to run in.
    pub cwd: NormalizedPath,
    /// The complete environment; `None` leaves the daemon's own.
    pub env: Option<EnvVars>,
    /// What the compiler reads from standard input.
    pub stdin: Bytes,
}

/// A link or archive step outside of any session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkEphemeral {
    /// The process that asks.
    pub client_pid: u32,
    /// The linker or archiver to run.
    pub tool: NormalizedPath,
    /// The tool's arguments, without the tool itself.
    pub args: Vec<String>,
    /// The directory to run in.
    pub cwd: NormalizedPath,
    /// The complete environment; `None` leaves the daemon's own.
    pub env: Option<EnvVars>,
}

/// How a compilation ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompileResult {
    /// The compiler's exit code.
    pub exit_code: i32,
    /// What it wrote to standard output.
    pub stdout: Bytes,
    /// What it wrote to standard error.
    pub stderr: Bytes,
    /// Whether the result came from the cache.
    pub cached: bool,
}

/// How a link step ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkResult {
    /// The tool's exit code.
    pub exit_code: i32,
    /// What it wrote to standard output.
    pub stdout: Bytes,
    /// What it wrote to standard error.
    pub stderr: Bytes,
    /// Whether the result came from the cache.
    pub cached: bool,
    /// What the user should know, for example that the output is not reproducible.
    pub warning: Option<String>,
}

/// State of a compilation that still runs; the final response follows on the same connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompileProgress {
    /// Compilations that wait before this one.
    pub queue_position: u32,
    /// Compilations that wait for a permit.
    pub queue_depth: u32,
    /// Compilations that hold a permit.
    pub in_flight: u32,
    /// `queued` or `compiling`; later releases may use other words.
    pub phase: String,
}
