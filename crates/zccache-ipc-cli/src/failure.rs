//! Why a verb was not done.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use thiserror::Error;
use zccache_ipc::endpoint::{
    ConnectError, DirectoryError, Endpoint, LaunchError, LifetimeError, LocateError, Pid,
};
use zccache_ipc::wire_dispatch::{EncodeError, UnknownWire};
use zccache_ipc::{CallError, IpcError};

use crate::json::JsonError;
use crate::kind::Kind;

/// Why a verb was not done; `advice` says what to do about it.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error("this program's surroundings cannot be read")]
    Surroundings(#[source] io::Error),
    #[error(transparent)]
    Locate(#[from] LocateError),
    #[error(transparent)]
    Wire(#[from] UnknownWire),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("the daemon{} was asked to stop and gave no answer", process(.pid))]
    NotStopped { pid: Option<Pid>, source: CallError },
    #[error("the daemon{} did not end within {waited:?}", process(.pid))]
    StillThere { pid: Option<Pid>, waited: Duration },
    #[error(transparent)]
    Lock(#[from] LifetimeError),
    #[error("the request is not valid")]
    BadMessage(#[from] JsonError),
    #[error("no program {name} in any of {looked_in:?}")]
    NoProgram { name: String, looked_in: Vec<PathBuf> },
    #[error(transparent)]
    Launch(#[from] LaunchError),
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error("the daemon that was started ended ({status}) and nobody listens at {endpoint}")]
    Ended { endpoint: Endpoint, status: ExitStatus, source: LogEnd },
    #[error("the daemon that was started (pid {pid}) does not answer at {endpoint} after {waited:?}")]
    NotServing { endpoint: Endpoint, pid: Pid, waited: Duration, source: LogEnd },
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} has no name that a daemon can be told", .0.display())]
    NoName(PathBuf),
    #[error("two of the files are called {0}")]
    SameName(String),
    #[error("{bytes} bytes are more than a message holds, which is {limit}")]
    TooLarge { bytes: u64, limit: u64 },
    #[error("the standard input is longer than {0} bytes, and no message is")]
    InputTooLong(u64),
    #[error("there is no tool to run")]
    NoTool,
    #[error("{0:?} is not UTF-8, and no wire carries it")]
    NotText(String),
    #[error("a fingerprint needs a file that it is kept in")]
    NoCacheFile,
    #[error("the artifact has no output {name:?}; it has {has:?}")]
    NoSuchOutput { name: String, has: Vec<String> },
    #[error("the artifact has several outputs: {0:?}")]
    SeveralOutputs(Vec<String>),
    #[error("the artifact has no output")]
    NoOutput,
    #[error("cannot read the standard input")]
    Input(#[source] io::Error),
    #[error("cannot write the standard output")]
    Output(#[from] io::Error),
}

/// The last lines of a daemon's log.
#[derive(Debug, Error)]
#[error("{}", match .text.is_empty() {
    true => format!("its log {} says nothing", .path.display()),
    false => format!("its log {} ends with:\n{}", .path.display(), .text),
})]
pub(crate) struct LogEnd {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

impl Failure {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Call(error) | Self::NotStopped { source: error, .. } => of_call(error),
            Self::BadMessage(_) => Kind::BadMessage,
            Self::Locate(_) | Self::NoName(_) | Self::NotText(_) => Kind::NotUtf8,
            Self::StillThere { .. } | Self::NotServing { .. } => Kind::Timeout,
            Self::NoProgram { .. } => Kind::NoProgram,
            Self::Launch(_) | Self::Ended { .. } => Kind::StartFailed,
            Self::Directory(_) => Kind::UnsafeDirectory,
            Self::TooLarge { .. } | Self::InputTooLong(_) => Kind::TooLarge,
            Self::SameName(_) | Self::Wire(_) | Self::NoCacheFile | Self::NoTool => Kind::Usage,
            Self::NoSuchOutput { .. } | Self::SeveralOutputs(_) | Self::NoOutput => Kind::WhichOutput,
            Self::Surroundings(_)
            | Self::Lock(_)
            | Self::Read { .. }
            | Self::Write { .. }
            | Self::Input(_)
            | Self::Output(_) => Kind::Io,
        }
    }
}

fn of_call(error: &CallError) -> Kind {
    match error {
        CallError::Ipc(error) => of_ipc(error),
        CallError::OutcomeUnknown { source, .. } if source.is_timeout() => Kind::Timeout,
        CallError::OutcomeUnknown { .. } => Kind::OutcomeUnknown,
        CallError::VersionRefused { .. } => Kind::VersionMismatch,
        CallError::Busy(_) => Kind::Busy,
        CallError::Unexpected { .. } => Kind::BadAnswer,
        // What a later release adds is the daemon's answer too.
        _ => Kind::Refused,
    }
}

fn of_ipc(error: &IpcError) -> Kind {
    match error {
        IpcError::Connect(error) => of_connect(error),
        IpcError::Encode(EncodeError::TooLong { .. }) => Kind::TooLarge,
        IpcError::Encode(_) => Kind::NotUtf8,
        IpcError::Decode(_) | IpcError::ForeignReply { .. } => Kind::BadAnswer,
        IpcError::Version { .. } => Kind::VersionMismatch,
        IpcError::TimedOut(_) => Kind::Timeout,
        error if error.is_disconnect() => Kind::Disconnected,
        _ => Kind::Io,
    }
}

fn of_connect(error: &ConnectError) -> Kind {
    match error {
        ConnectError::NoDaemon { .. } => Kind::NoDaemon,
        ConnectError::Busy { .. } => Kind::Busy,
        ConnectError::Endpoint(_) | ConnectError::NotASocket { .. } => Kind::BadEndpoint,
        ConnectError::ForeignPeer { .. } => Kind::ForeignPeer,
        ConnectError::PermissionDenied { .. } => Kind::PermissionDenied,
        _ => Kind::Io,
    }
}

fn process(pid: &Option<Pid>) -> String {
    pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
}
