//! Connecting, and what the system's answers mean.
//!
//! These are plain sockets. `interprocess` wraps tokio's, but it cannot give what is needed here: a backlog, a
//! path that is probed before it is replaced, and an error for a full backlog at once; and tokio's own is woken
//! twice for each message (`stream.rs`).

use std::{
    fs, io,
    os::{
        fd::OwnedFd,
        unix::{fs::FileTypeExt, net},
    },
    path::Path,
};

use rustix::{
    buffer::spare_capacity,
    io::Errno,
    net::{RecvFlags, SendFlags, SocketAddrUnix, connect, recv, send},
};

pub(crate) use super::system::peer;
use super::{
    AsyncIo, file_kind,
    system::{NO_SIGNAL, stream_socket},
};
use crate::{AcceptError, Endpoint, Liveness, connect::Failure, endpoint_liveness};

pub(crate) type BlockingIo = net::UnixStream;

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

/// One attempt to connect, which never waits. The connection blocks.
pub(crate) fn dial_blocking(endpoint: &Endpoint) -> io::Result<BlockingIo> {
    let stream = BlockingIo::from(dial(Path::new(endpoint.as_str()))?);
    stream.set_nonblocking(false)?;
    Ok(stream)
}

/// Writes what fits into the socket's buffer.
pub(crate) fn write_now(io: &mut BlockingIo, bytes: &[u8]) -> io::Result<usize> {
    Ok(send(io, bytes, SendFlags::DONTWAIT | NO_SIGNAL)?)
}

/// Reads once into the spare room of `buffer`.
pub(crate) fn read_into(io: &mut BlockingIo, buffer: &mut Vec<u8>) -> io::Result<usize> {
    Ok(recv(io, spare_capacity(buffer), RecvFlags::empty())?.0)
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
