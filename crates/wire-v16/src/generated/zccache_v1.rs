// Made by `cargo xtask codegen` from the schemas under `proto/`. Never edited.
/// Nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, ::prost::Message)]
pub struct Empty {}
/// A path, lexically normalised.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct Path {
    /// UTF-8 text; a sender refuses a path that is not Unicode.
    #[prost(string, tag = "1")]
    pub value: ::prost::alloc::string::String,
}
/// One environment variable.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct EnvVar {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: ::prost::alloc::string::String,
    /// Its value.
    #[prost(string, tag = "2")]
    pub value: ::prost::alloc::string::String,
}
/// What a client asks. A member of the body has the number of its wire v15 variant, plus one.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Request {
    /// Any text; the response carries it back.
    #[prost(string, tag = "100")]
    pub request_id: ::prost::alloc::string::String,
    /// Exactly one; the last one on the wire counts.
    #[prost(
        oneof = "request::Body",
        tags = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21"
    )]
    pub body: ::core::option::Option<request::Body>,
}
/// Nested message and enum types in `Request`.
pub mod request {
    /// Exactly one; the last one on the wire counts.
    #[derive(Clone, PartialEq, ::prost::Oneof)]
    pub enum Body {
        /// Are you there?
        #[prost(message, tag = "1")]
        Ping(super::Empty),
        /// Finish what is in flight and exit.
        #[prost(message, tag = "2")]
        Shutdown(super::Empty),
        /// How are you?
        #[prost(message, tag = "3")]
        Status(super::Empty),
        /// Is this key cached?
        #[prost(message, tag = "4")]
        Lookup(super::Lookup),
        /// Cache this.
        #[prost(message, tag = "5")]
        Store(::prost::alloc::boxed::Box<super::Store>),
        /// Open a session.
        #[prost(message, tag = "6")]
        SessionStart(::prost::alloc::boxed::Box<super::SessionStart>),
        /// Compile within a session.
        #[prost(message, tag = "7")]
        Compile(::prost::alloc::boxed::Box<super::Compile>),
        /// Close a session.
        #[prost(message, tag = "8")]
        SessionEnd(super::SessionEnd),
        /// Forget everything that is cached.
        #[prost(message, tag = "9")]
        Clear(super::Empty),
        /// Compile outside of any session.
        #[prost(message, tag = "10")]
        CompileEphemeral(::prost::alloc::boxed::Box<super::CompileEphemeral>),
        /// Link outside of any session.
        #[prost(message, tag = "11")]
        LinkEphemeral(::prost::alloc::boxed::Box<super::LinkEphemeral>),
        /// What happened in this session?
        #[prost(message, tag = "12")]
        SessionStats(super::SessionStatsRequest),
        /// Has anything changed?
        #[prost(message, tag = "13")]
        FingerprintCheck(::prost::alloc::boxed::Box<super::FingerprintCheck>),
        /// What was checked succeeded.
        #[prost(message, tag = "14")]
        FingerprintMarkSuccess(super::FingerprintMarkSuccess),
        /// What was checked failed.
        #[prost(message, tag = "15")]
        FingerprintMarkFailure(super::FingerprintMarkFailure),
        /// Forget what was checked.
        #[prost(message, tag = "16")]
        FingerprintInvalidate(super::FingerprintInvalidate),
        /// Which Rust artifacts are cached?
        #[prost(message, tag = "17")]
        ListRustArtifacts(super::Empty),
        /// Run this tool.
        #[prost(message, tag = "18")]
        GenericToolExec(::prost::alloc::boxed::Box<super::GenericToolExec>),
        /// Let go of everything under this directory.
        #[prost(message, tag = "19")]
        ReleaseWorktreeHandles(super::ReleaseWorktreeHandles),
        /// Asks for the result of work that the client does itself. Since header number 24.
        #[prost(message, tag = "20")]
        ExecProbe(::prost::alloc::boxed::Box<super::ExecProbe>),
        /// Stores the result of work that the client did itself. Since header number 24.
        #[prost(message, tag = "21")]
        ExecStore(::prost::alloc::boxed::Box<super::ExecStore>),
    }
}
/// What a daemon answers. A member of the body has the number of its wire v15 variant, plus one.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Response {
    /// The request's, byte for byte.
    #[prost(string, tag = "100")]
    pub request_id: ::prost::alloc::string::String,
    /// Exactly one; the last one on the wire counts.
    #[prost(
        oneof = "response::Body",
        tags = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21"
    )]
    pub body: ::core::option::Option<response::Body>,
}
/// Nested message and enum types in `Response`.
pub mod response {
    /// Exactly one; the last one on the wire counts.
    #[derive(Clone, PartialEq, ::prost::Oneof)]
    pub enum Body {
        /// The daemon is there.
        #[prost(message, tag = "1")]
        Pong(super::Empty),
        /// It finishes and exits.
        #[prost(message, tag = "2")]
        ShuttingDown(super::Empty),
        /// How it is.
        #[prost(message, tag = "3")]
        Status(::prost::alloc::boxed::Box<super::DaemonStatus>),
        /// Whether a key is cached.
        #[prost(message, tag = "4")]
        LookupResult(super::LookupResult),
        /// Whether a store changed anything.
        #[prost(message, tag = "5")]
        StoreResult(super::StoreResult),
        /// A session is open.
        #[prost(message, tag = "6")]
        SessionStarted(super::SessionStarted),
        /// How a compilation ended.
        #[prost(message, tag = "7")]
        CompileResult(super::CompileResult),
        /// A session is closed.
        #[prost(message, tag = "8")]
        SessionEnded(super::SessionEnded),
        /// How a link step ended.
        #[prost(message, tag = "9")]
        LinkResult(::prost::alloc::boxed::Box<super::LinkResult>),
        /// The request was not done.
        #[prost(message, tag = "10")]
        Error(super::Error),
        /// What was forgotten.
        #[prost(message, tag = "11")]
        Cleared(super::Cleared),
        /// What happened in a session.
        #[prost(message, tag = "12")]
        SessionStatsResult(super::SessionStatsResult),
        /// Whether anything changed.
        #[prost(message, tag = "13")]
        FingerprintCheckResult(super::FingerprintCheckResult),
        /// A mark is set.
        #[prost(message, tag = "14")]
        FingerprintAck(super::Empty),
        /// Which Rust artifacts are cached.
        #[prost(message, tag = "15")]
        RustArtifactList(super::RustArtifactList),
        /// How a tool ended.
        #[prost(message, tag = "16")]
        GenericToolExecResult(::prost::alloc::boxed::Box<super::GenericToolExecResult>),
        /// Too busy; ask again later.
        #[prost(message, tag = "17")]
        Backpressure(super::Backpressure),
        /// What was let go of.
        #[prost(message, tag = "18")]
        ReleaseWorktreeHandlesResult(super::ReleaseWorktreeHandlesResult),
        /// Progress of a compilation; the final response follows. Since header number 24.
        #[prost(message, tag = "19")]
        CompileProgress(super::CompileProgress),
        /// Stored result, if there is one. Since header number 24.
        #[prost(message, tag = "20")]
        ExecProbeResult(super::ExecProbeResult),
        /// Whether a result was stored. Since header number 24.
        #[prost(message, tag = "21")]
        ExecStoreAck(super::ExecStoreAck),
    }
}
/// Asks whether a key is cached.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct Lookup {
    /// The key.
    #[prost(string, tag = "1")]
    pub cache_key: ::prost::alloc::string::String,
}
/// Asks to cache an artifact.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Store {
    /// The key.
    #[prost(string, tag = "1")]
    pub cache_key: ::prost::alloc::string::String,
    /// What to cache under it.
    #[prost(message, optional, tag = "2")]
    pub artifact: ::core::option::Option<ArtifactData>,
}
/// Opens a session.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct SessionStart {
    /// The process that asks.
    #[prost(uint32, tag = "1")]
    pub client_pid: u32,
    /// The directory of the build.
    #[prost(message, optional, tag = "2")]
    pub working_dir: ::core::option::Option<Path>,
    /// A file that the session logs to.
    #[prost(message, optional, tag = "3")]
    pub log_file: ::core::option::Option<Path>,
    /// Whether the session keeps figures.
    #[prost(bool, tag = "4")]
    pub track_stats: bool,
    /// A file that gets one line for each event.
    #[prost(message, optional, tag = "5")]
    pub journal_path: ::core::option::Option<Path>,
    /// Whether phases are timed.
    #[prost(bool, tag = "6")]
    pub profile: bool,
    /// Asks for a daemon of the client's own.
    #[prost(message, optional, tag = "7")]
    pub private_daemon: ::core::option::Option<PrivateDaemonSessionOptions>,
}
/// What a client wants of a daemon of its own.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct PrivateDaemonSessionOptions {
    /// The daemon's name.
    #[prost(string, optional, tag = "1")]
    pub daemon_name: ::core::option::Option<::prost::alloc::string::String>,
    /// The endpoint that it must have.
    #[prost(string, optional, tag = "2")]
    pub endpoint: ::core::option::Option<::prost::alloc::string::String>,
    /// The cache directory that it must have.
    #[prost(message, optional, tag = "3")]
    pub cache_dir: ::core::option::Option<Path>,
    /// The processes that it lives for; empty means the client.
    #[prost(uint32, repeated, tag = "4")]
    pub owner_pids: ::prost::alloc::vec::Vec<u32>,
    /// Variables that override those of each compilation.
    #[prost(message, repeated, tag = "5")]
    pub env: ::prost::alloc::vec::Vec<EnvVar>,
}
/// A compilation within a session.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Compile {
    /// The session that it counts in.
    #[prost(string, tag = "1")]
    pub session_id: ::prost::alloc::string::String,
    /// The compiler's arguments, without the compiler itself.
    #[prost(string, repeated, tag = "2")]
    pub args: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// The directory to run in.
    #[prost(message, optional, tag = "3")]
    pub cwd: ::core::option::Option<Path>,
    /// The compiler to run.
    #[prost(message, optional, tag = "4")]
    pub compiler: ::core::option::Option<Path>,
    /// The complete environment, in order, duplicates included; counts only when `env_is_set` is true.
    #[prost(message, repeated, tag = "5")]
    pub env: ::prost::alloc::vec::Vec<EnvVar>,
    /// Whether `env` holds; false leaves the daemon's own environment.
    #[prost(bool, tag = "6")]
    pub env_is_set: bool,
    /// What the compiler reads from standard input.
    #[prost(bytes = "bytes", tag = "7")]
    pub stdin: ::prost::bytes::Bytes,
}
/// Closes a session.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct SessionEnd {
    /// The id that the daemon gave out.
    #[prost(string, tag = "1")]
    pub session_id: ::prost::alloc::string::String,
}
/// A compilation outside of any session.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct CompileEphemeral {
    /// The process that asks.
    #[prost(uint32, tag = "1")]
    pub client_pid: u32,
    /// The directory of the build.
    #[prost(message, optional, tag = "2")]
    pub working_dir: ::core::option::Option<Path>,
    /// The compiler to run.
    #[prost(message, optional, tag = "3")]
    pub compiler: ::core::option::Option<Path>,
    /// The compiler's arguments, without the compiler itself.
    #[prost(string, repeated, tag = "4")]
    pub args: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// The directory to run in.
    #[prost(message, optional, tag = "5")]
    pub cwd: ::core::option::Option<Path>,
    /// The complete environment, in order, duplicates included; counts only when `env_is_set` is true.
    #[prost(message, repeated, tag = "6")]
    pub env: ::prost::alloc::vec::Vec<EnvVar>,
    /// Whether `env` holds; false leaves the daemon's own environment.
    #[prost(bool, tag = "7")]
    pub env_is_set: bool,
    /// What the compiler reads from standard input.
    #[prost(bytes = "bytes", tag = "8")]
    pub stdin: ::prost::bytes::Bytes,
}
/// A link or archive step outside of any session.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct LinkEphemeral {
    /// The process that asks.
    #[prost(uint32, tag = "1")]
    pub client_pid: u32,
    /// The linker or archiver to run.
    #[prost(message, optional, tag = "2")]
    pub tool: ::core::option::Option<Path>,
    /// The tool's arguments, without the tool itself.
    #[prost(string, repeated, tag = "3")]
    pub args: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// The directory to run in.
    #[prost(message, optional, tag = "4")]
    pub cwd: ::core::option::Option<Path>,
    /// The complete environment, in order, duplicates included; counts only when `env_is_set` is true.
    #[prost(message, repeated, tag = "5")]
    pub env: ::prost::alloc::vec::Vec<EnvVar>,
    /// Whether `env` holds; false leaves the daemon's own environment.
    #[prost(bool, tag = "6")]
    pub env_is_set: bool,
}
/// Asks what happened in a session.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct SessionStatsRequest {
    /// The id that the daemon gave out.
    #[prost(string, tag = "1")]
    pub session_id: ::prost::alloc::string::String,
}
/// Asks whether the files under a root changed since the last recorded success.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct FingerprintCheck {
    /// Where the fingerprint is kept.
    #[prost(message, optional, tag = "1")]
    pub cache_file: ::core::option::Option<Path>,
    /// How files are compared, for example `hash` or `two-layer`.
    #[prost(string, tag = "2")]
    pub cache_type: ::prost::alloc::string::String,
    /// The directory that is watched.
    #[prost(message, optional, tag = "3")]
    pub root: ::core::option::Option<Path>,
    /// The file name extensions that count.
    #[prost(string, repeated, tag = "4")]
    pub extensions: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// The globs that count.
    #[prost(string, repeated, tag = "5")]
    pub include_globs: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// What does not count.
    #[prost(string, repeated, tag = "6")]
    pub exclude: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
}
/// Records that what was checked succeeded.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct FingerprintMarkSuccess {
    /// Where the fingerprint is kept.
    #[prost(message, optional, tag = "1")]
    pub cache_file: ::core::option::Option<Path>,
}
/// Records that what was checked failed.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct FingerprintMarkFailure {
    /// Where the fingerprint is kept.
    #[prost(message, optional, tag = "1")]
    pub cache_file: ::core::option::Option<Path>,
}
/// Forgets what was checked.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct FingerprintInvalidate {
    /// Where the fingerprint is kept.
    #[prost(message, optional, tag = "1")]
    pub cache_file: ::core::option::Option<Path>,
}
/// A run of a tool whose inputs and outputs the client declares.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct GenericToolExec {
    /// The tool to run.
    #[prost(message, optional, tag = "1")]
    pub tool: ::core::option::Option<Path>,
    /// Its arguments, without the tool itself.
    #[prost(string, repeated, tag = "2")]
    pub args: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// The directory to run in.
    #[prost(message, optional, tag = "3")]
    pub cwd: ::core::option::Option<Path>,
    /// The selected environment variables.
    #[prost(message, repeated, tag = "4")]
    pub env: ::prost::alloc::vec::Vec<EnvVar>,
    /// The files that the result depends on.
    #[prost(message, repeated, tag = "5")]
    pub input_files: ::prost::alloc::vec::Vec<Path>,
    /// Further bytes that the result depends on.
    #[prost(bytes = "bytes", tag = "6")]
    pub input_extra: ::prost::bytes::Bytes,
    /// Which output streams belong to the result.
    #[prost(message, optional, tag = "7")]
    pub output_streams: ::core::option::Option<ExecOutputStreams>,
    /// The files that the tool writes.
    #[prost(message, repeated, tag = "8")]
    pub output_files: ::prost::alloc::vec::Vec<Path>,
    /// A hash that stands for the tool, in place of its file: absent, or 32 bytes.
    #[prost(bytes = "bytes", optional, tag = "9")]
    pub tool_hash: ::core::option::Option<::prost::bytes::Bytes>,
    /// Whether the cache is read and written.
    #[prost(enumeration = "ExecCachePolicy", tag = "10")]
    pub cache_policy: i32,
    /// Whether the directory is part of the key.
    #[prost(bool, tag = "11")]
    pub cwd_in_key: bool,
    /// Sources whose includes are found and hashed.
    #[prost(message, repeated, tag = "12")]
    pub include_scan_files: ::prost::alloc::vec::Vec<Path>,
    /// Directories searched for `#include` of either form.
    #[prost(message, repeated, tag = "13")]
    pub include_dirs: ::prost::alloc::vec::Vec<Path>,
    /// Directories searched last.
    #[prost(message, repeated, tag = "14")]
    pub system_include_dirs: ::prost::alloc::vec::Vec<Path>,
    /// Directories searched for `#include "…"` only.
    #[prost(message, repeated, tag = "15")]
    pub iquote_dirs: ::prost::alloc::vec::Vec<Path>,
    /// A file in which the tool lists what it read.
    #[prost(message, optional, tag = "16")]
    pub depfile: ::core::option::Option<Path>,
    /// Whether the tool's output differs between equal runs.
    #[prost(bool, tag = "17")]
    pub non_deterministic: bool,
    /// Arguments that are left out of the key.
    #[prost(string, repeated, tag = "18")]
    pub key_args_filter: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
}
/// Asks to let go of a directory, so that it can be removed.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct ReleaseWorktreeHandles {
    /// The directory.
    #[prost(message, optional, tag = "1")]
    pub path: ::core::option::Option<Path>,
}
/// Everything that one cached run of a tool produced.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ArtifactData {
    /// The files it wrote.
    #[prost(message, repeated, tag = "1")]
    pub outputs: ::prost::alloc::vec::Vec<ArtifactOutput>,
    /// What it wrote to standard output.
    #[prost(bytes = "bytes", tag = "2")]
    pub stdout: ::prost::bytes::Bytes,
    /// What it wrote to standard error.
    #[prost(bytes = "bytes", tag = "3")]
    pub stderr: ::prost::bytes::Bytes,
    /// Its exit code.
    #[prost(int32, tag = "4")]
    pub exit_code: i32,
}
/// One file of an artifact.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct ArtifactOutput {
    /// The file's name.
    #[prost(string, tag = "1")]
    pub name: ::prost::alloc::string::String,
    /// Its contents, or where they are.
    #[prost(message, optional, tag = "2")]
    pub payload: ::core::option::Option<ArtifactPayload>,
}
/// The contents of an output file.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct ArtifactPayload {
    /// Exactly one; the last one on the wire counts.
    #[prost(oneof = "artifact_payload::Body", tags = "1, 2")]
    pub body: ::core::option::Option<artifact_payload::Body>,
}
/// Nested message and enum types in `ArtifactPayload`.
pub mod artifact_payload {
    /// Exactly one; the last one on the wire counts.
    #[derive(Clone, PartialEq, Eq, Hash, ::prost::Oneof)]
    pub enum Body {
        /// The contents themselves.
        #[prost(bytes, tag = "1")]
        Bytes(::prost::bytes::Bytes),
        /// A file on this machine that holds them.
        #[prost(message, tag = "2")]
        Path(super::Path),
    }
}
/// The answer to a lookup.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct LookupResult {
    /// Exactly one; the last one on the wire counts.
    #[prost(oneof = "lookup_result::Body", tags = "1, 2")]
    pub body: ::core::option::Option<lookup_result::Body>,
}
/// Nested message and enum types in `LookupResult`.
pub mod lookup_result {
    /// Exactly one; the last one on the wire counts.
    #[derive(Clone, PartialEq, ::prost::Oneof)]
    pub enum Body {
        /// The key is cached, and this was stored under it.
        #[prost(message, tag = "1")]
        Hit(::prost::alloc::boxed::Box<super::ArtifactData>),
        /// The key is not cached.
        #[prost(message, tag = "2")]
        Miss(super::Empty),
    }
}
/// The answer to a store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, ::prost::Message)]
pub struct StoreResult {
    /// Whether anything changed.
    #[prost(enumeration = "StoreResultKind", tag = "1")]
    pub kind: i32,
}
/// Which output streams of a tool belong to its cached result.
#[derive(Clone, Copy, PartialEq, Eq, Hash, ::prost::Message)]
pub struct ExecOutputStreams {
    /// Standard output.
    #[prost(bool, tag = "1")]
    pub stdout: bool,
    /// Standard error.
    #[prost(bool, tag = "2")]
    pub stderr: bool,
}
/// What a daemon says about itself.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct DaemonStatus {
    /// Its release, `major.minor.patch`.
    #[prost(string, tag = "1")]
    pub version: ::prost::alloc::string::String,
    /// The label of its namespace, `default` where there is none.
    #[prost(string, tag = "2")]
    pub daemon_namespace: ::prost::alloc::string::String,
    /// Where it listens.
    #[prost(string, tag = "3")]
    pub endpoint: ::prost::alloc::string::String,
    /// Whose daemon it is.
    #[prost(message, optional, tag = "4")]
    pub private_daemon: ::core::option::Option<PrivateDaemonStatus>,
    /// Cached artifacts.
    #[prost(uint64, tag = "5")]
    pub artifact_count: u64,
    /// Bytes that they take on disk.
    #[prost(uint64, tag = "6")]
    pub cache_size_bytes: u64,
    /// Cached metadata entries.
    #[prost(uint64, tag = "7")]
    pub metadata_entries: u64,
    /// Seconds since the daemon started.
    #[prost(uint64, tag = "8")]
    pub uptime_secs: u64,
    /// Results that came from the cache.
    #[prost(uint64, tag = "9")]
    pub cache_hits: u64,
    /// Results that did not.
    #[prost(uint64, tag = "10")]
    pub cache_misses: u64,
    /// Compilations asked for.
    #[prost(uint64, tag = "11")]
    pub total_compilations: u64,
    /// Compilations that cannot be cached.
    #[prost(uint64, tag = "12")]
    pub non_cacheable: u64,
    /// Compilations that failed.
    #[prost(uint64, tag = "13")]
    pub compile_errors: u64,
    /// Failures that came from the cache.
    #[prost(uint64, tag = "14")]
    pub compile_errors_cached: u64,
    /// Milliseconds of compiling that hits saved.
    #[prost(uint64, tag = "15")]
    pub time_saved_ms: u64,
    /// Link steps asked for.
    #[prost(uint64, tag = "16")]
    pub total_links: u64,
    /// Link steps that came from the cache.
    #[prost(uint64, tag = "17")]
    pub link_hits: u64,
    /// Link steps that did not.
    #[prost(uint64, tag = "18")]
    pub link_misses: u64,
    /// Link steps that cannot be cached.
    #[prost(uint64, tag = "19")]
    pub link_non_cacheable: u64,
    /// Contexts in the dependency graph.
    #[prost(uint64, tag = "20")]
    pub dep_graph_contexts: u64,
    /// Files in the dependency graph.
    #[prost(uint64, tag = "21")]
    pub dep_graph_files: u64,
    /// Sessions since the daemon started.
    #[prost(uint64, tag = "22")]
    pub sessions_total: u64,
    /// Sessions that are open.
    #[prost(uint64, tag = "23")]
    pub sessions_active: u64,
    /// The root of what it keeps on disk.
    #[prost(message, optional, tag = "24")]
    pub cache_dir: ::core::option::Option<Path>,
    /// The format of the dependency graph.
    #[prost(uint32, tag = "25")]
    pub dep_graph_version: u32,
    /// Bytes that the dependency graph takes on disk.
    #[prost(uint64, tag = "26")]
    pub dep_graph_disk_size: u64,
    /// Whether the dependency graph is on disk.
    #[prost(bool, tag = "27")]
    pub dep_graph_persisted: bool,
    /// Whether the file watcher works. Since header number 24, like the next two.
    #[prost(bool, tag = "28")]
    pub watcher_active: bool,
    /// Times that the file watcher failed over to polling.
    #[prost(uint64, tag = "29")]
    pub watcher_degradations: u64,
    /// Whether the writer of the index has ended before the daemon.
    #[prost(bool, tag = "30")]
    pub index_writer_gone: bool,
}
/// One process that a private daemon lives for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, ::prost::Message)]
pub struct PrivateDaemonOwnerStatus {
    /// The process.
    #[prost(uint32, tag = "1")]
    pub pid: u32,
    /// How many sessions name it.
    #[prost(uint64, tag = "2")]
    pub ref_count: u64,
}
/// Whose daemon it is; of a shared daemon, all empty.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct PrivateDaemonStatus {
    /// Whether it is private.
    #[prost(bool, tag = "1")]
    pub enabled: bool,
    /// The processes that it lives for.
    #[prost(message, repeated, tag = "2")]
    pub owners: ::prost::alloc::vec::Vec<PrivateDaemonOwnerStatus>,
    /// The names of the variables that its sessions override.
    #[prost(string, repeated, tag = "3")]
    pub private_env_keys: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
}
/// The figures of one session.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct SessionStats {
    /// Milliseconds since it was opened.
    #[prost(uint64, tag = "1")]
    pub duration_ms: u64,
    /// Compilations asked for.
    #[prost(uint64, tag = "2")]
    pub compilations: u64,
    /// Results that came from the cache.
    #[prost(uint64, tag = "3")]
    pub hits: u64,
    /// Results that did not.
    #[prost(uint64, tag = "4")]
    pub misses: u64,
    /// Compilations that cannot be cached.
    #[prost(uint64, tag = "5")]
    pub non_cacheable: u64,
    /// Compilations that failed.
    #[prost(uint64, tag = "6")]
    pub errors: u64,
    /// Failures that came from the cache.
    #[prost(uint64, tag = "7")]
    pub errors_cached: u64,
    /// Milliseconds of compiling that hits saved.
    #[prost(uint64, tag = "8")]
    pub time_saved_ms: u64,
    /// Different source files.
    #[prost(uint64, tag = "9")]
    pub unique_sources: u64,
    /// Bytes read from the cache.
    #[prost(uint64, tag = "10")]
    pub bytes_read: u64,
    /// Bytes written to the cache.
    #[prost(uint64, tag = "11")]
    pub bytes_written: u64,
    /// Where the time went, where the session asked for it.
    #[prost(message, optional, tag = "12")]
    pub phase_profile: ::core::option::Option<PhaseProfileSummary>,
    /// How lookups ended. Since release 1.12.10.
    #[prost(message, optional, tag = "13")]
    pub lookup_outcomes: ::core::option::Option<LookupOutcomes>,
}
/// How the lookups of a session ended.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct LookupOutcomes {
    /// The dependency graph and the artifact were there.
    #[prost(uint64, tag = "1")]
    pub depgraph_hit_artifact_hit: u64,
    /// The dependency graph was there, the artifact was not.
    #[prost(uint64, tag = "2")]
    pub depgraph_hit_artifact_miss: u64,
    /// The compilation was new, so the dependency graph was not asked.
    #[prost(uint64, tag = "3")]
    pub depgraph_cold_skip: u64,
    /// Other misses, by reason: an open set of words.
    #[prost(btree_map = "string, uint64", tag = "4")]
    pub depgraph_other_miss: ::prost::alloc::collections::BTreeMap<
        ::prost::alloc::string::String,
        u64,
    >,
}
/// Figures of the staged store, by name: open sets of words.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct StagedProfileSummary {
    /// Counts.
    #[prost(btree_map = "string, uint64", tag = "1")]
    pub counters: ::prost::alloc::collections::BTreeMap<
        ::prost::alloc::string::String,
        u64,
    >,
    /// Times, in nanoseconds.
    #[prost(btree_map = "string, uint64", tag = "2")]
    pub timings_ns: ::prost::alloc::collections::BTreeMap<
        ::prost::alloc::string::String,
        u64,
    >,
    /// Byte totals.
    #[prost(btree_map = "string, uint64", tag = "3")]
    pub bytes: ::prost::alloc::collections::BTreeMap<
        ::prost::alloc::string::String,
        u64,
    >,
    /// Failures, by reason.
    #[prost(btree_map = "string, uint64", tag = "4")]
    pub failures: ::prost::alloc::collections::BTreeMap<
        ::prost::alloc::string::String,
        u64,
    >,
}
/// Where a session's time went, in nanoseconds, summed over its compilations.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct PhaseProfileSummary {
    /// Hits that were timed.
    #[prost(uint64, tag = "1")]
    pub hit_count: u64,
    /// Misses that were timed.
    #[prost(uint64, tag = "2")]
    pub miss_count: u64,
    /// Reading the arguments.
    #[prost(uint64, tag = "3")]
    pub parse_args_ns: u64,
    /// Building the compilation's context.
    #[prost(uint64, tag = "4")]
    pub build_context_ns: u64,
    /// Hashing the source.
    #[prost(uint64, tag = "5")]
    pub hash_source_ns: u64,
    /// Hashing the headers.
    #[prost(uint64, tag = "6")]
    pub hash_headers_ns: u64,
    /// Asking the dependency graph.
    #[prost(uint64, tag = "7")]
    pub depgraph_check_ns: u64,
    /// Looking up the request itself.
    #[prost(uint64, tag = "8")]
    pub request_cache_lookup_ns: u64,
    /// Checking a result that came from another root.
    #[prost(uint64, tag = "9")]
    pub cross_root_validate_ns: u64,
    /// Looking up the artifact.
    #[prost(uint64, tag = "10")]
    pub artifact_lookup_ns: u64,
    /// Writing the output files.
    #[prost(uint64, tag = "11")]
    pub write_output_ns: u64,
    /// Keeping these figures.
    #[prost(uint64, tag = "12")]
    pub bookkeeping_ns: u64,
    /// All of a hit.
    #[prost(uint64, tag = "13")]
    pub total_hit_ns: u64,
    /// Running the compiler.
    #[prost(uint64, tag = "14")]
    pub compiler_exec_ns: u64,
    /// Looking for includes.
    #[prost(uint64, tag = "15")]
    pub include_scan_ns: u64,
    /// Hashing everything that was read.
    #[prost(uint64, tag = "16")]
    pub hash_all_ns: u64,
    /// Storing the artifact.
    #[prost(uint64, tag = "17")]
    pub artifact_store_ns: u64,
    /// All of a miss.
    #[prost(uint64, tag = "18")]
    pub total_miss_ns: u64,
    /// Figures of the staged store. Since header number 19.
    #[prost(message, optional, tag = "19")]
    pub staged: ::core::option::Option<StagedProfileSummary>,
}
/// The answer to a session start.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct SessionStarted {
    /// The new session's id.
    #[prost(string, tag = "1")]
    pub session_id: ::prost::alloc::string::String,
    /// Where its journal is.
    #[prost(message, optional, tag = "2")]
    pub journal_path: ::core::option::Option<Path>,
}
/// How a compilation ended.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct CompileResult {
    /// The compiler's exit code.
    #[prost(int32, tag = "1")]
    pub exit_code: i32,
    /// What it wrote to standard output.
    #[prost(bytes = "bytes", tag = "2")]
    pub stdout: ::prost::bytes::Bytes,
    /// What it wrote to standard error.
    #[prost(bytes = "bytes", tag = "3")]
    pub stderr: ::prost::bytes::Bytes,
    /// Whether the result came from the cache.
    #[prost(bool, tag = "4")]
    pub cached: bool,
}
/// A session is closed.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct SessionEnded {
    /// The figures.
    #[prost(message, optional, boxed, tag = "1")]
    pub stats: ::core::option::Option<::prost::alloc::boxed::Box<SessionStats>>,
}
/// How a link step ended.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct LinkResult {
    /// The tool's exit code.
    #[prost(int32, tag = "1")]
    pub exit_code: i32,
    /// What it wrote to standard output.
    #[prost(bytes = "bytes", tag = "2")]
    pub stdout: ::prost::bytes::Bytes,
    /// What it wrote to standard error.
    #[prost(bytes = "bytes", tag = "3")]
    pub stderr: ::prost::bytes::Bytes,
    /// Whether the result came from the cache.
    #[prost(bool, tag = "4")]
    pub cached: bool,
    /// What the user should know, for example that the output is not reproducible.
    #[prost(string, optional, tag = "5")]
    pub warning: ::core::option::Option<::prost::alloc::string::String>,
}
/// Why a request was not done.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct Error {
    /// For people; released software recognises the version mismatch text only.
    #[prost(string, tag = "1")]
    pub message: ::prost::alloc::string::String,
}
/// What a clear removed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, ::prost::Message)]
pub struct Cleared {
    /// Artifacts.
    #[prost(uint64, tag = "1")]
    pub artifacts_removed: u64,
    /// Metadata entries.
    #[prost(uint64, tag = "2")]
    pub metadata_cleared: u64,
    /// Contexts of the dependency graph.
    #[prost(uint64, tag = "3")]
    pub dep_graph_contexts_cleared: u64,
    /// Bytes freed on disk.
    #[prost(uint64, tag = "4")]
    pub on_disk_bytes_freed: u64,
}
/// What happened in a session.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct SessionStatsResult {
    /// The figures.
    #[prost(message, optional, boxed, tag = "1")]
    pub stats: ::core::option::Option<::prost::alloc::boxed::Box<SessionStats>>,
}
/// The answer to a fingerprint check.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct FingerprintCheckResult {
    /// What to do, for example `run` or `skip`.
    #[prost(string, tag = "1")]
    pub decision: ::prost::alloc::string::String,
    /// Why.
    #[prost(string, optional, tag = "2")]
    pub reason: ::core::option::Option<::prost::alloc::string::String>,
    /// The files that changed.
    #[prost(string, repeated, tag = "3")]
    pub changed_files: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
}
/// What the daemon knows about one cached Rust artifact.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct RustArtifactInfo {
    /// The key it is cached under.
    #[prost(string, tag = "1")]
    pub cache_key: ::prost::alloc::string::String,
    /// The names of its output files.
    #[prost(string, repeated, tag = "2")]
    pub output_names: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// How many output files it has.
    #[prost(uint64, tag = "3")]
    pub payload_count: u64,
}
/// The Rust artifacts that are cached.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct RustArtifactList {
    /// One entry for each.
    #[prost(message, repeated, tag = "1")]
    pub artifacts: ::prost::alloc::vec::Vec<RustArtifactInfo>,
}
/// How a run ended.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct GenericToolExecResult {
    /// The tool's exit code.
    #[prost(int32, tag = "1")]
    pub exit_code: i32,
    /// What it wrote to standard output.
    #[prost(bytes = "bytes", tag = "2")]
    pub stdout: ::prost::bytes::Bytes,
    /// What it wrote to standard error.
    #[prost(bytes = "bytes", tag = "3")]
    pub stderr: ::prost::bytes::Bytes,
    /// The declared output files.
    #[prost(message, repeated, tag = "4")]
    pub output_files: ::prost::alloc::vec::Vec<ArtifactOutput>,
    /// Whether the result came from the cache.
    #[prost(bool, tag = "5")]
    pub cached: bool,
    /// The key of the result, in hex.
    #[prost(string, tag = "6")]
    pub cache_key_hex: ::prost::alloc::string::String,
}
/// The daemon is over its limits and did not act on the request.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct Backpressure {
    /// How much waits already.
    #[prost(uint32, tag = "1")]
    pub queue_depth: u32,
    /// Milliseconds to wait before asking again.
    #[prost(uint32, tag = "2")]
    pub retry_after_ms: u32,
    /// Which limit it was.
    #[prost(string, tag = "3")]
    pub reason: ::prost::alloc::string::String,
}
/// What was let go of under a directory.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ReleaseWorktreeHandlesResult {
    /// Handles looked at.
    #[prost(uint32, tag = "1")]
    pub inspected: u32,
    /// Handles let go of.
    #[prost(uint32, tag = "2")]
    pub released: u32,
    /// Sessions that were ended.
    #[prost(string, repeated, tag = "3")]
    pub sessions_dropped: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// What is still held.
    #[prost(message, repeated, tag = "4")]
    pub unreleased: ::prost::alloc::vec::Vec<Path>,
}
/// Declared by the released schema and used by nobody: it never appears on the wire, and it is not the
/// envelope of the FrameV1 lane.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct Frame {
    /// Unused.
    #[prost(uint32, tag = "1")]
    pub protocol_version: u32,
    /// Unused.
    #[prost(bytes = "bytes", tag = "2")]
    pub payload: ::prost::bytes::Bytes,
    /// Unused.
    #[prost(string, tag = "3")]
    pub payload_type: ::prost::alloc::string::String,
}
/// Asks for the result that a client stored under a key that it describes.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ExecProbe {
    /// Name of the work, part of the key.
    #[prost(string, tag = "1")]
    pub name: ::prost::alloc::string::String,
    /// Files whose paths and contents are part of the key.
    #[prost(message, repeated, tag = "2")]
    pub input_files: ::prost::alloc::vec::Vec<Path>,
    /// Variables that are part of the key.
    #[prost(message, repeated, tag = "3")]
    pub input_env: ::prost::alloc::vec::Vec<EnvVar>,
    /// Further bytes that are part of the key.
    #[prost(bytes = "bytes", tag = "4")]
    pub input_extra: ::prost::bytes::Bytes,
}
/// Stores a result; replaces an earlier one.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct ExecStore {
    /// Key, 64 lower-case hex digits.
    #[prost(string, tag = "1")]
    pub cache_key_hex: ::prost::alloc::string::String,
    /// Result to store.
    #[prost(bytes = "bytes", tag = "2")]
    pub result_bytes: ::prost::bytes::Bytes,
}
/// Answer to an ExecProbe.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct ExecProbeResult {
    /// Key of the description.
    #[prost(string, tag = "1")]
    pub cache_key_hex: ::prost::alloc::string::String,
    /// Stored result; absent is a miss, and an empty result is a hit.
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub cached_bytes: ::core::option::Option<::prost::bytes::Bytes>,
}
/// Answer to an ExecStore.
#[derive(Clone, Copy, PartialEq, Eq, Hash, ::prost::Message)]
pub struct ExecStoreAck {
    /// Whether the result is stored.
    #[prost(bool, tag = "1")]
    pub stored: bool,
}
/// State of a compilation that still runs.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct CompileProgress {
    /// Compilations that wait before this one.
    #[prost(uint32, tag = "1")]
    pub queue_position: u32,
    /// Compilations that wait for a permit.
    #[prost(uint32, tag = "2")]
    pub queue_depth: u32,
    /// Compilations that hold a permit.
    #[prost(uint32, tag = "3")]
    pub in_flight: u32,
    /// `queued` or `compiling`; later releases may use other words.
    #[prost(string, tag = "4")]
    pub phase: ::prost::alloc::string::String,
}
/// Whether a store changed anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum StoreResultKind {
    /// Not a legal value.
    Unspecified = 0,
    /// The artifact is now cached.
    Stored = 1,
    /// The key was cached before; nothing changed.
    AlreadyExists = 2,
}
impl StoreResultKind {
    /// String value of the enum field names used in the ProtoBuf definition.
    ///
    /// The values are not transformed in any way and thus are considered stable
    /// (if the ProtoBuf definition does not change) and safe for programmatic use.
    pub fn as_str_name(&self) -> &'static str {
        match self {
            Self::Unspecified => "STORE_RESULT_KIND_UNSPECIFIED",
            Self::Stored => "STORE_RESULT_KIND_STORED",
            Self::AlreadyExists => "STORE_RESULT_KIND_ALREADY_EXISTS",
        }
    }
    /// Creates an enum from field names used in the ProtoBuf definition.
    pub fn from_str_name(value: &str) -> ::core::option::Option<Self> {
        match value {
            "STORE_RESULT_KIND_UNSPECIFIED" => Some(Self::Unspecified),
            "STORE_RESULT_KIND_STORED" => Some(Self::Stored),
            "STORE_RESULT_KIND_ALREADY_EXISTS" => Some(Self::AlreadyExists),
            _ => None,
        }
    }
}
/// Whether a run reads and writes the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum ExecCachePolicy {
    /// Not a legal value.
    Unspecified = 0,
    /// Reads and writes it.
    Normal = 1,
    /// Does neither.
    Bypass = 2,
    /// Reads it only.
    ReadOnly = 3,
}
impl ExecCachePolicy {
    /// String value of the enum field names used in the ProtoBuf definition.
    ///
    /// The values are not transformed in any way and thus are considered stable
    /// (if the ProtoBuf definition does not change) and safe for programmatic use.
    pub fn as_str_name(&self) -> &'static str {
        match self {
            Self::Unspecified => "EXEC_CACHE_POLICY_UNSPECIFIED",
            Self::Normal => "EXEC_CACHE_POLICY_NORMAL",
            Self::Bypass => "EXEC_CACHE_POLICY_BYPASS",
            Self::ReadOnly => "EXEC_CACHE_POLICY_READ_ONLY",
        }
    }
    /// Creates an enum from field names used in the ProtoBuf definition.
    pub fn from_str_name(value: &str) -> ::core::option::Option<Self> {
        match value {
            "EXEC_CACHE_POLICY_UNSPECIFIED" => Some(Self::Unspecified),
            "EXEC_CACHE_POLICY_NORMAL" => Some(Self::Normal),
            "EXEC_CACHE_POLICY_BYPASS" => Some(Self::Bypass),
            "EXEC_CACHE_POLICY_READ_ONLY" => Some(Self::ReadOnly),
            _ => None,
        }
    }
}
