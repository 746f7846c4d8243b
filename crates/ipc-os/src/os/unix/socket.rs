//! Connecting, and what the system's answers mean.
//!
//! These are plain sockets. `interprocess` wraps tokio's, but it cannot give what is needed here: a backlog, a
//! path that is probed before it is replaced, and an error for a full backlog at once; and tokio's own is woken
//! twice for each message (`stream.rs`).

use std::{
    fs, io,
    os::{fd::OwnedFd, unix::fs::FileTypeExt},
    path::Path,
};

use rustix::{
    io::Errno,
    net::{SocketAddrUnix, connect},
};

pub(crate) use super::system::peer;
use super::{AsyncIo, file_kind, system::stream_socket};
use crate::{AcceptError, Endpoint, Liveness, connect::Failure, endpoint_liveness};

/// One attempt to connect, which never waits.
pub(super) fn dial(path: &Path) -> io::Result<OwnedFd> {
    let address = SocketAddrUnix::new(path)?;
    let socket = stream_socket()?;
    connect(&socket, &address)?;
    Ok(socket)
}

/// One attempt to connect; async because it is on other systems.
pub(crate) async fn dial_async(endpoint: &Endpoint) -> io::Result<AsyncIo> {
    AsyncIo::new(dial(Path::new(endpoint.as_str()))?)
}

/// What a failed attempt to connect to `endpoint` means.
pub(crate) fn failure(endpoint: &Endpoint, error: io::Error) -> Failure {
    match Errno::from_io_error(&error) {
        // Linux says so at once for a full backlog, when the socket does not block.
        Some(Errno::AGAIN) => Failure::Busy(error),
        Some(Errno::CONNREFUSED | Errno::NOTSOCK) => refused(endpoint, error),
        Some(Errno::NOENT | Errno::NOTDIR) => Failure::NoDaemon(error),
        Some(Errno::ACCESS | Errno::PERM) => Failure::PermissionDenied(error),
        _ => Failure::Other(error),
    }
}

/// macOS refuses for a full backlog too, and a daemon that starts or ends holds its lock and does not listen.
fn refused(endpoint: &Endpoint, error: io::Error) -> Failure {
    match fs::metadata(endpoint.as_str()) {
        Ok(metadata) if !metadata.file_type().is_socket() => Failure::NotASocket(file_kind(&metadata)),
        _ => match endpoint_liveness(endpoint) {
            Ok(Some(Liveness::Held { .. })) => Failure::Busy(error),
            _ => Failure::NoDaemon(error),
        },
    }
}

/// What a failed accept means.
pub(crate) fn accept_failure(error: io::Error) -> AcceptError {
    match Errno::from_io_error(&error) {
        Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM) => AcceptError::Exhausted(error),
        Some(Errno::CONNABORTED | Errno::INTR | Errno::PROTO | Errno::PERM) => AcceptError::Gone(error),
        _ => AcceptError::Io(error),
    }
}
