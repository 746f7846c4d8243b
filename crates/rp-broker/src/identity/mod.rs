//! The identity of a daemon: process, executable, boot and endpoint.

mod error;
mod executable;
mod file;
mod hash;
mod json;
mod wire;

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use ipc_endpoint::IdentityEndpoint;
use ipc_os::Pid;

pub use error::IdentityError;
pub use executable::{Executable, executable_of, this_executable};
pub use file::{IdentityFileError, LONGEST, read, remove_if_of, write};
pub use hash::{Algorithm, Hash, HashError, hash_within};

/// One daemon, as its identity file and its answers to probes describe it.
///
/// `docs/spec/running-process.md#identity-file` has the meaning of each field.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// The process.
    pub pid: Pid,
    /// The path of the executable.
    pub exe_path: PathBuf,
    /// The hashes of the executable.
    pub hashes: Hashes,
    /// The boot of the machine in which the daemon started.
    pub boot_id: String,
    /// The endpoint at which the daemon listens.
    pub endpoint: IdentityEndpoint,
    /// Start time, in milliseconds since 1970.
    pub started_at_unix_ms: u64,
    /// Idle timeout in seconds. Released daemons leave it out.
    pub idle_timeout_secs: Option<u32>,
}

/// The hashes of an executable. The library's generation decides which are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hashes {
    /// SHA-256 alone: running-process up to 4.10.2, and zccache 1.12.0 with it.
    Sha256(Hash),
    /// BLAKE3, and SHA-256 if it is known: running-process from 4.10.3 on.
    Blake3 {
        /// BLAKE3.
        blake3: Hash,
        /// SHA-256.
        sha256: Option<Hash>,
    },
}

impl Hashes {
    /// Returns the BLAKE3 hash, if it is known.
    #[must_use]
    pub const fn blake3(&self) -> Option<Hash> {
        match self {
            Self::Sha256(_) => None,
            Self::Blake3 { blake3, .. } => Some(*blake3),
        }
    }

    /// Returns the SHA-256 hash, if it is known.
    #[must_use]
    pub const fn sha256(&self) -> Option<Hash> {
        match self {
            Self::Sha256(sha256) => Some(*sha256),
            Self::Blake3 { sha256, .. } => *sha256,
        }
    }

    /// Returns true if both have a hash in common, and all common hashes are equal.
    #[must_use]
    pub fn agree_with(&self, other: &Self) -> bool {
        let pairs = [(self.blake3(), other.blake3()), (self.sha256(), other.sha256())];
        let mut both = pairs.iter().filter_map(|(one, other)| one.zip(*other)).peekable();
        both.peek().is_some() && both.all(|(one, other)| one == other)
    }

    /// Builds the value from parsed hashes. Some writers write 32 zeros for an unknown SHA-256.
    fn from_parts(blake3: Option<Hash>, sha256: Option<Hash>) -> Result<Self, IdentityError> {
        let sha256 = sha256.filter(|hash| *hash != [0; 32]);
        match (blake3, sha256) {
            (Some(blake3), sha256) => Ok(Self::Blake3 { blake3, sha256 }),
            (None, Some(sha256)) => Ok(Self::Sha256(sha256)),
            (None, None) => Err(IdentityError::NoHash),
        }
    }
}

impl Identity {
    /// Returns the identity of this process.
    ///
    /// `started` is its start time, `endpoint` the place where it listens.
    #[must_use]
    pub fn of_this_process(executable: Executable, endpoint: IdentityEndpoint, started: SystemTime) -> Self {
        let started = started.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            pid: Pid::current(),
            exe_path: executable.path,
            hashes: executable.hashes,
            boot_id: boot_id(),
            endpoint,
            started_at_unix_ms: u64::try_from(started.as_millis()).unwrap_or(u64::MAX),
            idle_timeout_secs: None,
        }
    }
}

/// Returns running-process's id of the current boot.
#[must_use]
pub fn boot_id() -> String {
    running_process::broker::host_identity::current().boot_id
}

#[cfg(test)]
mod tests;
