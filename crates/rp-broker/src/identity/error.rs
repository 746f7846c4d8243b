//! Faults in an identity file or in the answer to a probe.

use ipc_os::PidError;
use thiserror::Error;

/// Text or bytes that do not describe a daemon.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The text is empty.
    #[error("it is empty")]
    Empty,
    /// The text is not the JSON of an identity file: cut short, garbage, or without a key.
    #[error("the text is not the JSON of an identity")]
    Json(#[source] serde_json::Error),
    /// The bytes are not the protobuf message of a probe's answer.
    #[error("the bytes are not the protobuf message of an identity")]
    Protobuf(#[source] prost::DecodeError),
    /// The process id is 0 or too large.
    #[error("it names no process")]
    Pid(#[source] PidError),
    /// There is no hash of the executable in a known form.
    #[error("it has no hash of its executable")]
    NoHash,
    /// A hash has another length than 32 bytes.
    #[error("its {which} has {length} bytes, not 32")]
    HashLength {
        /// The field.
        which: &'static str,
        /// Its length in bytes.
        length: usize,
    },
    /// There are two SHA-256 hashes and they differ.
    #[error("it has two different SHA-256 hashes of its executable")]
    TwoHashes,
    /// The path of the executable is empty.
    #[error("it names no executable")]
    NoExecutable,
    /// There is no endpoint.
    #[error("it names no endpoint")]
    NoEndpoint,
    /// The executable's path is not UTF-8, which both formats require.
    #[error("the path of the executable is not UTF-8: {0}")]
    NotUtf8(String),
}
