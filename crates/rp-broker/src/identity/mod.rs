//! What a daemon says of itself.

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
/// Rule: `docs/spec/endpoint.md#identity-file`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// Its process.
    pub pid: Pid,
    /// The program that it runs.
    pub exe_path: PathBuf,
    /// The content of that program.
    pub hashes: Hashes,
    /// The boot of the machine in which it started.
    pub boot_id: String,
    /// Where it listens.
    pub endpoint: IdentityEndpoint,
    /// When it started, in milliseconds since 1970.
    pub started_at_unix_ms: u64,
    /// After how many idle seconds it ends, where it says so. Released daemons do not.
    pub idle_timeout_secs: Option<u32>,
}

/// The hashes of an executable: which of them there are tells the generation of the library that wrote them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hashes {
    /// SHA-256 alone, as running-process writes and wants it up to 4.10.2, and with it zccache 1.12.0.
    Sha256(Hash),
    /// BLAKE3, as running-process writes and wants it from 4.10.3 on, and SHA-256 where it is there too.
    Blake3 {
        /// BLAKE3.
        blake3: Hash,
        /// SHA-256.
        sha256: Option<Hash>,
    },
}

impl Hashes {
    /// BLAKE3, where it is there.
    #[must_use]
    pub const fn blake3(&self) -> Option<Hash> {
        match self {
            Self::Sha256(_) => None,
            Self::Blake3 { blake3, .. } => Some(*blake3),
        }
    }

    /// SHA-256, where it is there.
    #[must_use]
    pub const fn sha256(&self) -> Option<Hash> {
        match self {
            Self::Sha256(sha256) => Some(*sha256),
            Self::Blake3 { sha256, .. } => *sha256,
        }
    }

    /// Whether what both have is the same; `false` where they have nothing in common.
    #[must_use]
    pub fn agree_with(&self, other: &Self) -> bool {
        let pairs = [(self.blake3(), other.blake3()), (self.sha256(), other.sha256())];
        let mut both = pairs.iter().filter_map(|(one, other)| one.zip(*other)).peekable();
        both.peek().is_some() && both.all(|(one, other)| one == other)
    }

    /// From what was read; all zeroes is how some write that there is no SHA-256.
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
    /// The identity of this process, which `started` then, listens at `endpoint` and runs `executable`.
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

/// The current boot of this machine, as running-process names it.
#[must_use]
pub fn boot_id() -> String {
    running_process::broker::host_identity::current().boot_id
}

#[cfg(test)]
mod tests;
