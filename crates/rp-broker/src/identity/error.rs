//! What makes an identity no identity.

use ipc_os::PidError;
use thiserror::Error;

/// A description that describes no process.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// It is empty.
    #[error("it is empty")]
    Empty,
    /// It is no JSON of the kind that identity files hold: cut short, garbage, or with a key missing.
    #[error("it is not the JSON of an identity")]
    Json(#[source] serde_json::Error),
    /// It is not protobuf of the kind that probes are answered with.
    #[error("it is not the protobuf of an identity")]
    Protobuf(#[source] prost::DecodeError),
    /// Its process id is none.
    #[error("it names no process")]
    Pid(#[source] PidError),
    /// It has no hash of the executable in a form that is known here.
    #[error("it has no hash of its executable")]
    NoHash,
    /// It has a hash of another length than 32 bytes.
    #[error("its {which} has {length} bytes, not 32")]
    HashLength {
        /// Which one.
        which: &'static str,
        /// The bytes that it has.
        length: usize,
    },
    /// It has two SHA-256 hashes that differ.
    #[error("it has two different SHA-256 hashes of its executable")]
    TwoHashes,
    /// It names no executable.
    #[error("it names no executable")]
    NoExecutable,
    /// It names no endpoint.
    #[error("it names no endpoint")]
    NoEndpoint,
    /// The executable's path is not UTF-8, and both formats are text.
    #[error("the path of the executable is not UTF-8: {0}")]
    NotUtf8(String),
}
