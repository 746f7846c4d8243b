//! Outcomes of a verification.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use ipc_os::Pid;
use thiserror::Error;

use super::ProbeError;
use crate::identity::{HashError, Identity, IdentityFileError};

/// The result of comparing the daemon that answers with its identity file.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// The daemon that answers is the one in the file.
    Same(Proof),
    /// Another endpoint, program, build or daemon is there.
    Different(Difference),
    /// The process in the file has ended.
    Gone,
    /// The verification was not possible.
    Unknown(Unknown),
}

/// A verified daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Proof {
    /// The daemon's answer.
    pub identity: Identity,
    /// The duration of the verification.
    pub took: Duration,
}

impl Proof {
    /// Returns the daemon's process.
    #[must_use]
    pub const fn pid(&self) -> Pid {
        self.identity.pid
    }
}

/// The difference between the daemon and its identity file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Difference {
    /// The file describes the daemon of another endpoint.
    #[error("the identity file belongs to the daemon at {0}")]
    Endpoint(String),
    /// The process runs another program: its id was used again.
    #[error("the process runs {}, not {}", found.display(), recorded.display())]
    Program {
        /// The program in the file.
        recorded: PathBuf,
        /// The program that runs.
        found: PathBuf,
    },
    /// The executable was replaced or removed on disk after the start.
    #[error("{} was replaced or removed since the daemon started", .0.display())]
    Replaced(PathBuf),
    /// The executable has another hash than the file says: another build.
    #[error("{} is not the build in the identity file", .0.display())]
    Build(PathBuf),
    /// Another daemon answers: its identity differs from the file.
    #[error("another daemon answers: its {0} differs from the identity file")]
    Answer(Field),
}

/// A part of an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Field {
    /// The process id.
    #[error("process id")]
    Pid,
    /// The path of the executable.
    #[error("executable")]
    ExePath,
    /// A hash of the executable.
    #[error("executable's hash")]
    Hash,
    /// The boot.
    #[error("boot id")]
    BootId,
    /// The endpoint.
    #[error("endpoint")]
    Endpoint,
}

/// The reason why a verification was not possible. A daemon may be there.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Unknown {
    /// There is no identity file. Daemons up to 1.11.21 write none.
    #[error("there is no identity file at {}", .0.display())]
    NoIdentityFile(PathBuf),
    /// The identity file cannot be used.
    #[error("the identity file cannot be used")]
    IdentityFile(#[source] Box<IdentityFileError>),
    /// The file is from another boot of this machine, or from another machine.
    #[error("the identity file is from another boot of this machine ({0})")]
    OtherBoot(String),
    /// The executable of the process is not known: it may be another user's.
    #[error("the executable of process {pid} cannot be determined")]
    Process {
        /// The process.
        pid: Pid,
        /// The error of the system.
        source: io::Error,
    },
    /// The executable was not hashed.
    #[error("the executable of the daemon was not verified")]
    Hash(#[source] HashError),
    /// The exchange failed.
    #[error("the daemon did not answer the probe")]
    Probe(#[source] ProbeError),
    /// The timeout passed.
    #[error("no answer within {0:?}")]
    Late(Duration),
    /// No thread could be started.
    #[error("cannot start a thread for the probe")]
    Thread(#[source] io::Error),
}

impl Outcome {
    /// Returns the proof if the daemon was verified.
    #[must_use]
    pub const fn proof(&self) -> Option<&Proof> {
        match self {
            Self::Same(proof) => Some(proof),
            _ => None,
        }
    }

    /// Returns the outcome as one word, for tables and JSON.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Same(_) => "same",
            Self::Different(_) => "different",
            Self::Gone => "gone",
            Self::Unknown(_) => "unknown",
        }
    }
}
