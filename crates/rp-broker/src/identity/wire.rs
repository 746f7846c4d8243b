//! The message `DaemonProcess` in the answer to a probe (`docs/spec/running-process.md#response`).
//!
//! The message is declared here because running-process's own has the fields of one generation only.

use ipc_endpoint::IdentityEndpoint;
use ipc_os::Pid;
use prost::Message as _;
use running_process::broker::backend_handle::DaemonProcess;
use running_process::broker::protocol::Endpoint;

use super::{Hash, Hashes, Identity, IdentityError, json};

#[derive(Clone, PartialEq, prost::Message)]
struct Process {
    #[prost(uint32, tag = "1")]
    pid: u32,
    #[prost(string, tag = "2")]
    exe_path: String,
    #[prost(bytes = "vec", tag = "3")]
    exe_sha256: Vec<u8>,
    #[prost(message, optional, tag = "4")]
    ipc_endpoint: Option<Endpoint>,
    #[prost(uint64, tag = "5")]
    started_at_unix_ms: u64,
    #[prost(string, tag = "6")]
    boot_id: String,
    #[prost(uint32, optional, tag = "7")]
    idle_timeout_secs: Option<u32>,
    #[prost(string, tag = "8")]
    exe_hash_algorithm: String,
    #[prost(bytes = "vec", tag = "9")]
    exe_hash: Vec<u8>,
}

impl Identity {
    /// Reads the message in the answer to a probe, of either generation.
    ///
    /// # Errors
    ///
    /// [`IdentityError`].
    pub fn from_probe(bytes: &[u8]) -> Result<Self, IdentityError> {
        let process = Process::decode(bytes).map_err(IdentityError::Protobuf)?;
        let blake3 = match process.exe_hash_algorithm.as_str() {
            json::BLAKE3 => hash("exe_hash", &process.exe_hash)?,
            _ => None,
        };
        let sha256 = hash("exe_sha256", &process.exe_sha256)?;
        let endpoint = process.ipc_endpoint.ok_or(IdentityError::NoEndpoint)?;
        Ok(Self {
            pid: Pid::new(process.pid).map_err(IdentityError::Pid)?,
            exe_path: process.exe_path.into(),
            hashes: Hashes::from_parts(blake3, sha256)?,
            boot_id: process.boot_id,
            endpoint: IdentityEndpoint { namespace_id: endpoint.namespace_id, path: endpoint.path },
            started_at_unix_ms: process.started_at_unix_ms,
            idle_timeout_secs: process.idle_timeout_secs,
        })
    }

    /// Converts the identity to running-process's type, with both hashes.
    ///
    /// Returns `None` if BLAKE3 is not known, because that type cannot leave it out.
    #[must_use]
    pub fn to_running_process(&self) -> Option<DaemonProcess> {
        Some(DaemonProcess {
            pid: self.pid.get(),
            exe_path: self.exe_path.clone(),
            exe_hash: self.hashes.blake3()?,
            legacy_exe_sha256: self.hashes.sha256().unwrap_or_default(),
            boot_id: self.boot_id.clone(),
            ipc_endpoint: Endpoint {
                namespace_id: self.endpoint.namespace_id.clone(),
                path: self.endpoint.path.clone(),
            },
            started_at_unix_ms: self.started_at_unix_ms,
            idle_timeout_secs: self.idle_timeout_secs,
        })
    }
}

fn hash(which: &'static str, bytes: &[u8]) -> Result<Option<Hash>, IdentityError> {
    match bytes.len() {
        0 => Ok(None),
        length => match bytes.try_into() {
            Ok(hash) => Ok(Some(hash)),
            Err(_) => Err(IdentityError::HashLength { which, length }),
        },
    }
}
