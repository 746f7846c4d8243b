//! Failures of verbs.

use std::io;
use std::path::PathBuf;

use thiserror::Error;
use zccache_ipc::daemon::{StartError, StopError};
use zccache_ipc::endpoint::{
    AcceptError, BindError, ClaimError, ConnectError, Endpoint, LocateError, StartLockError,
};
use zccache_ipc::wire_dispatch::{EncodeError, UnknownWire};
use zccache_ipc::{CallError, IpcError};

use crate::kind::Kind;
#[cfg(feature = "running-process")]
use crate::registry_failure::RegistryFailure;
use wire_json::JsonError;

/// The failure of a verb; `advice` has the next step.
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
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Stop(#[from] StopError),
    #[error("the request is not valid")]
    BadMessage(#[from] JsonError),
    #[error(transparent)]
    Download(#[from] zccache_ipc::download::DownloadError),
    #[error("{destination} was not downloaded: {why}")]
    NotDownloaded { destination: String, why: String },
    #[error("{destination} is not complete after {limit:?}: {came}")]
    DownloadLate { destination: String, limit: std::time::Duration, came: String },
    #[error("an empty key cannot be stored")]
    NoKey,
    #[error("the daemon does not serve the report {name:?}, as a daemon of another project or release")]
    NotServed { name: &'static str },
    #[error("the daemon did not make the report: {0}")]
    Reported(String),
    /// The message of [`Start`](Self::Start), with other advice.
    #[error(transparent)]
    NoDownloads(StartError),
    #[error("cannot run {}", program.display())]
    NotRun { program: PathBuf, source: io::Error },
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
    #[error("the directory of the session's log does not exist: {}", .0.display())]
    NoLogDirectory(PathBuf),
    #[error("a fingerprint needs a file that it is kept in")]
    NoCacheFile,
    #[error("the artifact has no output {name:?}; it has {has:?}")]
    NoSuchOutput { name: String, has: Vec<String> },
    #[error("the artifact has several outputs: {0:?}")]
    SeveralOutputs(Vec<String>),
    #[error("the artifact has no output")]
    NoOutput,
    #[cfg(feature = "running-process")]
    #[error(transparent)]
    Registry(#[from] RegistryFailure),
    #[cfg(not(feature = "running-process"))]
    #[error("this program was built without running-process support")]
    LeftOut,
    #[error("a tap listens at an address of its own, and {0} is the daemon's")]
    ListensAtDaemon(Endpoint),
    #[error(transparent)]
    Claim(#[from] ClaimError),
    #[error(transparent)]
    Bind(#[from] BindError),
    #[error(transparent)]
    Accept(AcceptError),
    #[error("cannot read the standard input")]
    Input(#[source] io::Error),
    #[error("cannot write the standard output")]
    Output(#[from] io::Error),
}

impl Failure {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Call(error) => of_call(error),
            Self::Start(source) | Self::NoDownloads(source) => of_start(source),
            Self::Stop(error) => of_stop(error),
            Self::Download(error) => of_download(error),
            Self::NotDownloaded { .. } => Kind::Refused,
            Self::DownloadLate { .. } => Kind::Timeout,
            Self::NotServed { .. } => Kind::NotServed,
            Self::Reported(_) => Kind::Refused,
            Self::NotRun { .. } => Kind::StartFailed,
            Self::BadMessage(_) => Kind::BadMessage,
            Self::Locate(_) | Self::NoName(_) | Self::NotText(_) => Kind::NotUtf8,
            Self::TooLarge { .. } | Self::InputTooLong(_) => Kind::TooLarge,
            Self::ListensAtDaemon(_)
            | Self::SameName(_)
            | Self::NoKey
            | Self::Wire(_)
            | Self::NoLogDirectory(_)
            | Self::NoCacheFile
            | Self::NoTool => Kind::Usage,
            #[cfg(feature = "running-process")]
            Self::Registry(failure) => failure.kind(),
            #[cfg(not(feature = "running-process"))]
            Self::LeftOut => Kind::LeftOut,
            Self::NoSuchOutput { .. } | Self::SeveralOutputs(_) | Self::NoOutput => Kind::WhichOutput,
            Self::Claim(error) => of_claim(error),
            Self::Bind(error) => of_bind(error),
            Self::Accept(_)
            | Self::Surroundings(_)
            | Self::Read { .. }
            | Self::Write { .. }
            | Self::Input(_)
            | Self::Output(_) => Kind::Io,
        }
    }
}

fn of_start(error: &StartError) -> Kind {
    match error {
        StartError::Call(error) => of_call(error),
        StartError::NotReplaced(error) => of_stop(error),
        StartError::Silent(_) | StartError::StartLockHeld { .. } | StartError::NotServing { .. } => {
            Kind::Timeout
        }
        StartError::NoProgram { .. } => Kind::NoProgram,
        StartError::Launch(_) | StartError::Ended { .. } | StartError::FailedElsewhere { .. } => {
            Kind::StartFailed
        }
        StartError::Directory(_) | StartError::Lock(StartLockError::Directory(_)) => Kind::UnsafeDirectory,
        _ => Kind::Io,
    }
}

fn of_stop(error: &StopError) -> Kind {
    match error {
        StopError::Call(error) => of_call(error),
        StopError::Silent(_) | StopError::StillThere { .. } => Kind::Timeout,
        _ => Kind::Io,
    }
}

fn of_claim(error: &ClaimError) -> Kind {
    match error {
        ClaimError::Directory(_) => Kind::UnsafeDirectory,
        ClaimError::Endpoint(_) | ClaimError::Held { .. } => Kind::BadEndpoint,
        _ => Kind::Io,
    }
}

fn of_bind(error: &BindError) -> Kind {
    match error {
        BindError::InUse { .. } | BindError::NotASocket { .. } => Kind::BadEndpoint,
        BindError::Foreign { .. } => Kind::ForeignPeer,
        BindError::PermissionDenied { .. } => Kind::PermissionDenied,
        _ => Kind::Io,
    }
}

/// Returns the kind of a failed call.
pub(crate) fn of_call(error: &CallError) -> Kind {
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

fn of_download(error: &zccache_ipc::download::DownloadError) -> Kind {
    use zccache_ipc::download::DownloadError;
    match error {
        DownloadError::Ipc(error) => of_ipc(error),
        DownloadError::Unexpected(_) => Kind::BadAnswer,
        // What a later release adds is the daemon's answer too.
        _ => Kind::Refused,
    }
}

fn of_ipc(error: &IpcError) -> Kind {
    match error {
        IpcError::Connect(error) => of_connect(error),
        IpcError::Encode(EncodeError::TooLong { .. }) => Kind::TooLarge,
        IpcError::Encode(EncodeError::NotCarried { .. }) => Kind::VersionMismatch,
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
        ConnectError::ForeignPeer { .. } | ConnectError::ForeignServer { .. } => Kind::ForeignPeer,
        ConnectError::PermissionDenied { .. } => Kind::PermissionDenied,
        _ => Kind::Io,
    }
}
