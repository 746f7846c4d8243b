//! The text of an identity file: one object with the keys of both generations of running-process.
//!
//! 4.4.0 requires `exe_sha256`; 4.10.21 requires `exe_hash_algorithm` and `exe_hash`. Each refuses a file
//! without its keys and ignores the keys of the other (`docs/spec/running-process.md#identity-file`).

use std::borrow::Cow;

use ipc_endpoint::IdentityEndpoint;
use ipc_os::Pid;
use serde::{Deserialize, Serialize};

use super::{Hash, Hashes, Identity, IdentityError};

/// The only known value of `exe_hash_algorithm`.
pub(super) const BLAKE3: &str = "blake3";

// The keys stand in the order in which running-process writes them.
#[derive(Serialize, Deserialize)]
struct Text<'a> {
    pid: u32,
    exe_path: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exe_sha256: Option<Hash>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exe_hash_algorithm: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exe_hash: Option<Hash>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    legacy_exe_sha256: Option<Hash>,
    boot_id: Cow<'a, str>,
    ipc_endpoint: EndpointText<'a>,
    started_at_unix_ms: u64,
    #[serde(default)]
    idle_timeout_secs: Option<u32>,
}

#[derive(Serialize, Deserialize)]
struct EndpointText<'a> {
    namespace_id: Cow<'a, str>,
    path: Cow<'a, str>,
}

/// Parses a file of either generation, or of this project.
pub(super) fn parse(bytes: &[u8]) -> Result<Identity, IdentityError> {
    if bytes.is_empty() {
        return Err(IdentityError::Empty);
    }
    let text: Text<'_> = serde_json::from_slice(bytes).map_err(IdentityError::Json)?;
    let blake3 = text.exe_hash.filter(|_| text.exe_hash_algorithm.as_deref() == Some(BLAKE3));
    let legacy = text.legacy_exe_sha256.filter(|hash| *hash != [0; 32]);
    if text.exe_sha256.zip(legacy).is_some_and(|(one, other)| one != other) {
        return Err(IdentityError::TwoHashes);
    }
    if text.exe_path.is_empty() {
        return Err(IdentityError::NoExecutable);
    }
    Ok(Identity {
        pid: Pid::new(text.pid).map_err(IdentityError::Pid)?,
        exe_path: text.exe_path.into_owned().into(),
        hashes: Hashes::from_parts(blake3, text.exe_sha256.or(legacy))?,
        boot_id: text.boot_id.into_owned(),
        endpoint: IdentityEndpoint {
            namespace_id: text.ipc_endpoint.namespace_id.into_owned(),
            path: text.ipc_endpoint.path.into_owned(),
        },
        started_at_unix_ms: text.started_at_unix_ms,
        idle_timeout_secs: text.idle_timeout_secs,
    })
}

/// Prints the keys of each generation whose hash is known, without a newline at the end.
pub(super) fn text(identity: &Identity) -> Result<String, IdentityError> {
    let exe_path = identity
        .exe_path
        .to_str()
        .ok_or_else(|| IdentityError::NotUtf8(identity.exe_path.to_string_lossy().into_owned()))?;
    let (blake3, sha256) = (identity.hashes.blake3(), identity.hashes.sha256());
    let text = Text {
        pid: identity.pid.get(),
        exe_path: exe_path.into(),
        exe_sha256: sha256,
        exe_hash_algorithm: blake3.map(|_| BLAKE3.into()),
        exe_hash: blake3,
        legacy_exe_sha256: blake3.map(|_| sha256.unwrap_or_default()),
        boot_id: identity.boot_id.as_str().into(),
        ipc_endpoint: EndpointText {
            namespace_id: identity.endpoint.namespace_id.as_str().into(),
            path: identity.endpoint.path.as_str().into(),
        },
        started_at_unix_ms: identity.started_at_unix_ms,
        idle_timeout_secs: identity.idle_timeout_secs,
    };
    serde_json::to_string_pretty(&text).map_err(IdentityError::Json)
}
