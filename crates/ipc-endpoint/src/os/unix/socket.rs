//! Connecting, and what the system's answers mean.
//!
//! These are tokio's and the standard library's own sockets. `interprocess` wraps the same tokio socket and is
//! as fast to within the noise (`benches/README.md` has the figure), but it cannot give what is needed here:
//! a backlog, a path that is probed before it is replaced, and an error for a full backlog at once.

use std::{
    fs, io,
    os::{
        fd::OwnedFd,
        unix::{fs::FileTypeExt, net},
    },
    path::Path,
};

use rustix::{
    io::Errno,
    net::{SocketAddrUnix, connect},
};
use tokio::io::Interest;

pub(crate) use super::system::peer;
use super::{file_kind, system::stream_socket};
use crate::{AcceptError, Endpoint, Liveness, connect::Failure, endpoint_liveness};

pub(crate) type AsyncIo = tokio::net::UnixStream;
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
    AsyncIo::from_std(dial(Path::new(endpoint.as_str()))?.into())
}

/// One attempt to connect, which never waits. The connection blocks.
pub(crate) fn dial_blocking(endpoint: &Endpoint) -> io::Result<BlockingIo> {
    let stream = BlockingIo::from(dial(Path::new(endpoint.as_str()))?);
    stream.set_nonblocking(false)?;
    Ok(stream)
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

/// Waits until there is something to read, or nobody to read from.
pub(crate) async fn readable(stream: &AsyncIo) -> io::Result<()> {
    stream.readable().await
}

/// Whether the other end has closed the connection, and not only said that it sends no more.
pub(crate) async fn has_hung_up(stream: &AsyncIo) -> bool {
    // A socket that was closed at the other end can be written to, which is how its error is told.
    matches!(stream.ready(Interest::WRITABLE).await, Ok(ready) if ready.is_write_closed())
}

/// The listening socket, registered with the runtime.
#[derive(Debug)]
pub(crate) struct AsyncListener(tokio::net::UnixListener);

impl AsyncListener {
    pub(super) fn new(listener: net::UnixListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        tokio::net::UnixListener::from_std(listener).map(Self)
    }

    pub(crate) async fn accept(&self) -> io::Result<AsyncIo> {
        self.0.accept().await.map(|(stream, _)| stream)
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
