//! Requests of a zccache client and responses of a daemon, as plain Rust values.
//!
//! A daemon answers one [`Request`] with exactly one final [`Response`]. Every wire converts to and from
//! these types, so that code above the wires does not depend on the peer's wire. `docs/spec/wire-v15.md`
//! has the tables. [`download`] has the messages of the download daemon (`docs/spec/download.md`).
//!
//! With the feature `serde`, every message implements `Serialize` and `Deserialize`. Its JSON is the JSON form
//! of the command line (`docs/cli.md`): structs are objects, variants without contents are strings, other
//! variants objects with one key, byte strings `{"$hex": "…"}`. A field of a later release is left out while it
//! has its default. The bodies of the wires do not come from these derives.
//!
//! Not here: encoding for a wire, and I/O.
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod download;

mod artifact;
mod compile;
mod exec;
mod fingerprint;
#[cfg(feature = "serde")]
mod form;
mod request;
mod response;
mod session;
mod status;

pub use artifact::{
    ArtifactData, ArtifactOutput, ArtifactPayload, LookupResult, RustArtifactInfo, StoreResult,
};
pub use compile::{Compile, CompileEphemeral, CompileProgress, CompileResult, LinkEphemeral, LinkResult};
pub use exec::{
    ExecCachePolicy, ExecOutputStreams, ExecProbe, ExecProbeResult, ExecStore, ExecStoreAck, GenericToolExec,
    GenericToolExecResult,
};
pub use fingerprint::{FingerprintCheck, FingerprintCheckResult, FingerprintFile};
pub use ipc_path::{NormalizedPath, NotUtf8};
pub use request::{Lookup, ReleaseWorktreeHandles, Request, RequestKind, Store};
pub use response::{
    Backpressure, Cleared, ErrorMessage, ReleaseWorktreeHandlesResult, Response, ResponseKind,
    RustArtifactList,
};
pub use session::{PrivateDaemonSessionOptions, SessionId, SessionStart, SessionStarted, SessionStatsReply};
pub use status::{
    Counters, DaemonStatus, LookupOutcomes, PhaseProfileSummary, PrivateDaemonOwnerStatus,
    PrivateDaemonStatus, SessionStats, StagedProfileSummary,
};

/// Environment variables in the sender's order, duplicates included.
pub type EnvVars = Vec<(String, String)>;
