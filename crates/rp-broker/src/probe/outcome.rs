//! What verifying a daemon comes to.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use ipc_os::Pid;
use thiserror::Error;

use super::ProbeError;
use crate::identity::{HashError, Identity, IdentityFileError};

/// Whether the daemon that answers at an endpoint is the one that its identity file describes.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// It is.
    Same(Proof),
    /// Something else is there: another endpoint, program, build or daemon.
    Different(Difference),
    /// The process that the file describes has ended.
    Gone,
    /// It could not be found out.
    Unknown(Unknown),
}

/// A daemon that was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Proof {
    /// What it answered.
    pub identity: Identity,
    /// How long it took to verify it.
    pub took: Duration,
}

impl Proof {
    /// Its process.
    #[must_use]
    pub const fn pid(&self) -> Pid {
        self.identity.pid
    }
}

/// In what something else than the described daemon is there.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Difference {
    /// The file describes the daemon of another endpoint.
    #[error("the identity file is of the daemon at {0}")]
    Endpoint(String),
    /// The process of that id runs another program: the id is used again.
    #[error("the process runs {}, not {}", found.display(), recorded.display())]
    Program {
        /// The program in the file.
        recorded: PathBuf,
        /// The program that runs.
        found: PathBuf,
    },
    /// The process runs a build that was replaced or removed on disk since it started.
    #[error("{} was replaced or removed since the daemon started", .0.display())]
    Replaced(PathBuf),
    /// The program holds something else than the file says: another build.
    #[error("{} is another build than the identity file says", .0.display())]
    Build(PathBuf),
    /// Another daemon answers: it says something else of itself than the file.
    #[error("another daemon answers: its {0} is another than in the identity file")]
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

/// Why it could not be found out who answers. That a daemon is there this does not deny.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Unknown {
    /// There is no identity file. Daemons up to 1.11.21 write none.
    #[error("there is no identity file at {}", .0.display())]
    NoIdentityFile(PathBuf),
    /// The identity file cannot be used.
    #[error("the identity file cannot be used")]
    IdentityFile(#[source] Box<IdentityFileError>),
    /// The file was written in another boot of this machine, or on another machine.
    #[error("the identity file is of another boot of this machine ({0})")]
    OtherBoot(String),
    /// What the process runs cannot be found out: it may be another user's.
    #[error("what process {pid} runs cannot be found out")]
    Process {
        /// The process.
        pid: Pid,
        /// What the system said.
        source: io::Error,
    },
    /// Its executable was not hashed.
    #[error("the executable of the daemon was not verified")]
    Hash(#[source] HashError),
    /// The daemon's answer is not known.
    #[error("the daemon did not say who it is")]
    Probe(#[source] ProbeError),
    /// The budget was over before anything else was known.
    #[error("no answer within {0:?}")]
    Late(Duration),
    /// There is no thread to ask on.
    #[error("no thread to ask on")]
    Thread(#[source] io::Error),
}

impl Outcome {
    /// The daemon that was verified, if it was.
    #[must_use]
    pub const fn proof(&self) -> Option<&Proof> {
        match self {
            Self::Same(proof) => Some(proof),
            _ => None,
        }
    }

    /// The outcome in one word, for tables and JSON.
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
