//! Creates and removes the endpoint's socket.

use std::{
    fs, io,
    os::{
        fd::OwnedFd,
        unix::{
            fs::{FileTypeExt, MetadataExt, PermissionsExt},
            net::UnixListener,
        },
    },
    path::Path,
    thread,
    time::{Duration, Instant, SystemTime},
};

use rustix::{
    fs::{Mode, fchmod},
    io::Errno,
    net::{self, SocketAddrUnix},
};

use super::{AsyncListener, Seen, peer, process_alive, socket::dial, system::stream_socket};
use crate::{BindError, Endpoint, FileKind, Pid, SocketStamp};

/// The number of connections that may wait for an accept; the system lowers it to its own limit.
pub(super) const BACKLOG: i32 = 4096;

/// The identity of a bound socket's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SocketId {
    device: u64,
    inode: u64,
    /// Creation time, if known, because the system reuses an inode number after the listener is closed.
    born: Option<SystemTime>,
}

impl SocketId {
    /// Returns true if the endpoint's path names this socket.
    pub(crate) fn is_at(&self, endpoint: &Endpoint) -> io::Result<bool> {
        match fs::symlink_metadata(endpoint.as_str()) {
            Ok(metadata) => Ok(*self == Self::of(&metadata)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(super) fn of(metadata: &fs::Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino(), born: metadata.created().ok() }
    }
}

/// Returns the stamp of the socket at the endpoint's path.
pub(crate) fn socket_stamp(endpoint: &Endpoint) -> Option<SocketStamp> {
    let metadata = fs::symlink_metadata(endpoint.as_str()).ok()?;
    if !metadata.file_type().is_socket() {
        return None;
    }
    // Inode numbers are reused, on some file systems at once; change times are not.
    let changed = (metadata.ctime(), metadata.ctime_nsec());
    Some(SocketStamp { device: metadata.dev(), inode: metadata.ino(), changed })
}

/// Returns the path of the endpoint's socket.
pub(crate) fn socket_path(endpoint: &Endpoint) -> Option<&Path> {
    Some(Path::new(endpoint.as_str()))
}

/// Removes the file at the endpoint's path.
pub(crate) fn remove_socket(endpoint: &Endpoint) -> io::Result<()> {
    fs::remove_file(endpoint.as_str())
}

/// Listens at `endpoint`; replaces a stale socket.
///
/// `recorded` is the process in the pid lock file.
pub(crate) fn bind(
    endpoint: &Endpoint,
    recorded: Option<Pid>,
) -> Result<(AsyncListener, SocketId), BindError> {
    let path = Path::new(endpoint.as_str());
    make_way(endpoint, path, recorded)?;

    let failed = |source: io::Error| failed(endpoint, source);
    let address = SocketAddrUnix::new(path).map_err(|errno| failed(errno.into()))?;
    let socket = stream_socket().map_err(failed)?;
    // On Linux the new file gets the mode of the socket; macOS refuses, and `listen` below sets the mode.
    let _ = fchmod(&socket, Mode::RUSR | Mode::WUSR);
    net::bind(&socket, &address).map_err(|errno| match errno {
        // A process that takes no lock was faster.
        Errno::ADDRINUSE => BindError::InUse { endpoint: endpoint.clone(), by: None },
        errno => failed(errno.into()),
    })?;
    listen(socket, path).map_err(|error| {
        // The socket was just made, and no client could connect to it yet.
        let _ = fs::remove_file(path);
        failed(error)
    })
}

fn listen(socket: OwnedFd, path: &Path) -> io::Result<(AsyncListener, SocketId)> {
    let made = fs::symlink_metadata(path)?;
    if made.mode() & 0o777 != 0o600 {
        // No client connects before this: a socket that does not listen yet refuses every connection.
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    }
    net::listen(&socket, BACKLOG)?;
    Ok((AsyncListener::new(UnixListener::from(socket))?, SocketId::of(&made)))
}

/// Removes a socket without a listener; refuses any other file at the path.
fn make_way(endpoint: &Endpoint, path: &Path, recorded: Option<Pid>) -> Result<(), BindError> {
    let seen = match Seen::at(path) {
        Ok(seen) => seen,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(endpoint, error)),
    };
    if seen.kind() != FileKind::Socket {
        return Err(BindError::NotASocket { path: path.to_owned(), kind: seen.kind() });
    }
    if let Some(expected) = seen.foreign_to() {
        return Err(BindError::Foreign { path: path.to_owned(), owner: seen.uid(), expected });
    }

    // If the lock file names a living process, a refusal may come from a full backlog, so the loop tries
    // again.
    let recorded = recorded.filter(|pid| *pid != Pid::current() && process_alive(*pid));
    let deadline = Instant::now() + Duration::from_millis(250);
    loop {
        let in_use = |by| Err(BindError::InUse { endpoint: endpoint.clone(), by });
        let error = match dial(path) {
            Ok(socket) => return in_use(peer(&socket).ok().and_then(|peer| peer.pid)),
            Err(error) => error,
        };
        match Errno::from_io_error(&error) {
            Some(Errno::AGAIN | Errno::PROTOTYPE) => return in_use(recorded),
            Some(Errno::NOENT) => return Ok(()),
            Some(Errno::CONNREFUSED) if recorded.is_some() && Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(10));
            }
            Some(Errno::CONNREFUSED) => {
                return fs::remove_file(path).map_err(|error| failed(endpoint, error));
            }
            _ => return Err(failed(endpoint, error)),
        }
    }
}

fn failed(endpoint: &Endpoint, source: io::Error) -> BindError {
    let endpoint = endpoint.clone();
    match source.kind() {
        io::ErrorKind::PermissionDenied => BindError::PermissionDenied { endpoint, source },
        _ => BindError::Io { endpoint, source },
    }
}
