//! Connects, and interprets the system's errors.
//!
//! These are plain sockets. `interprocess` wraps tokio's sockets, but lacks three features: a backlog size, a
//! probe of the path before it is replaced, and an immediate error for a full backlog. tokio's own socket
//! wakes twice for each message (`stream.rs`).

use std::{
    fs, io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::FileTypeExt,
    },
    path::Path,
};

use rustix::{
    io::Errno,
    net::{SocketAddrUnix, connect},
};

pub(crate) use super::system::peer;
use super::{AsyncIo, file_kind, system::stream_socket};
use crate::{AcceptError, Endpoint, Liveness, Pid, connect::Failure, endpoint_liveness};

/// A socket whose other end has a process.
pub(crate) trait HasPeer: AsFd {}
impl<T: AsFd> HasPeer for T {}

/// The socket's peer has a user id, which [`peer`] returns.
pub(crate) fn foreign_server(_: &impl HasPeer) -> io::Result<Option<(String, String)>> {
    Ok(None)
}

/// The lock beside the socket names its process.
pub(crate) const fn serving_process(_: &Endpoint) -> Option<Pid> {
    None
}

/// Tries to connect once; never waits.
pub(super) fn dial(path: &Path) -> io::Result<OwnedFd> {
    let address = SocketAddrUnix::new(path)?;
    let socket = stream_socket()?;
    connect(&socket, &address)?;
    Ok(socket)
}

/// Tries to connect once; async because other systems need it.
pub(crate) async fn dial_async(endpoint: &Endpoint) -> io::Result<AsyncIo> {
    AsyncIo::new(dial(Path::new(endpoint.as_str()))?)
}

/// Returns the cause of a failed attempt to connect to `endpoint`.
pub(crate) fn failure(endpoint: &Endpoint, error: io::Error) -> Failure {
    match Errno::from_io_error(&error) {
        // Linux returns this error at once for a full backlog of a non-blocking socket.
        Some(Errno::AGAIN) => Failure::Busy(error),
        Some(Errno::CONNREFUSED | Errno::NOTSOCK) => refused(endpoint, error),
        Some(Errno::NOENT | Errno::NOTDIR) => Failure::NoDaemon(error),
        Some(Errno::ACCESS | Errno::PERM) => Failure::PermissionDenied(error),
        _ => Failure::Other(error),
    }
}

/// Interprets a refusal.
///
/// macOS also refuses if the backlog is full, and a starting or ending daemon holds its lock without
/// listening.
fn refused(endpoint: &Endpoint, error: io::Error) -> Failure {
    match fs::metadata(endpoint.as_str()) {
        Ok(metadata) if !metadata.file_type().is_socket() => Failure::NotASocket(file_kind(&metadata)),
        _ => match endpoint_liveness(endpoint) {
            Ok(Some(Liveness::Held { .. })) => Failure::Busy(error),
            _ => Failure::NoDaemon(error),
        },
    }
}

/// Interprets the error of a failed accept.
pub(crate) fn accept_failure(error: io::Error) -> AcceptError {
    match Errno::from_io_error(&error) {
        Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM) => AcceptError::Exhausted(error),
        Some(Errno::CONNABORTED | Errno::INTR | Errno::PROTO | Errno::PERM) => AcceptError::Gone(error),
        _ => AcceptError::Io(error),
    }
}
