//! A listener that another process bound.

use std::{
    fs, io,
    os::{
        fd::{BorrowedFd, FromRawFd, OwnedFd},
        unix::{
            ffi::OsStrExt,
            fs::{FileTypeExt, PermissionsExt},
            net::UnixListener,
        },
    },
    path::{Path, PathBuf},
};

use rustix::{
    io::{FdFlags, fcntl_getfd, fcntl_setfd},
    net::{AddressFamily, SocketAddrUnix, SocketType, getsockname, sockopt},
};

use super::{AsyncListener, Seen, SocketId, system::is_listening};
use crate::{Endpoint, InheritedError, Listener};

impl Listener {
    /// Takes over a listening socket from a service manager or a test.
    ///
    /// The owner of the socket is responsible for its path, mode and locks; peers are checked as for any
    /// listener. Call it within a tokio runtime that has I/O enabled. Unix only.
    ///
    /// # Errors
    ///
    /// The system's error of making the socket non-blocking or registering it.
    pub fn from_std(listener: UnixListener) -> io::Result<Self> {
        AsyncListener::new(listener).map(Self::new)
    }
}

/// Takes over the listener at `endpoint`, which this process inherited as descriptor `number`.
pub(crate) fn take_over(
    endpoint: &Endpoint,
    number: &str,
) -> Result<(AsyncListener, SocketId), InheritedError> {
    let number = parse(number)?;
    let socket = open(number)?;
    check(socket, number, endpoint)?;
    let id = socket_of_ours(endpoint)?;

    let failed = |source| InheritedError::Io { number, source };
    // The process that bound it may have left it open to other users; until now its directory kept them out.
    fs::set_permissions(endpoint.as_str(), fs::Permissions::from_mode(0o600)).map_err(failed)?;
    let flags = fcntl_getfd(socket).map_err(|errno| failed(errno.into()))?;
    fcntl_setfd(socket, flags | FdFlags::CLOEXEC).map_err(|errno| failed(errno.into()))?;
    // SAFETY: it listens at the endpoint that this process was started for, which no other code in the
    // process has opened: the path is claimed, and the socket is older than the claim.
    let owned = unsafe { OwnedFd::from_raw_fd(number) };
    let listener = AsyncListener::new(UnixListener::from(owned)).map_err(failed)?;
    Ok((listener, id))
}

fn parse(number: &str) -> Result<i32, InheritedError> {
    let parsed = number.trim().parse().ok().filter(|number| *number > 2);
    parsed.ok_or_else(|| InheritedError::Number(number.to_owned()))
}

/// Borrows descriptor `number`, if it is open.
fn open<'a>(number: i32) -> Result<BorrowedFd<'a>, InheritedError> {
    // SAFETY: reads the flags of a descriptor and no memory; a closed one is an error.
    let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
    if flags < 0 {
        let source = Some(io::Error::last_os_error());
        return Err(InheritedError::NotAListener { number, source });
    }
    // SAFETY: it is open and not -1, and no code closes descriptors that this process was started with.
    Ok(unsafe { BorrowedFd::borrow_raw(number) })
}

fn check(socket: BorrowedFd<'_>, number: i32, endpoint: &Endpoint) -> Result<(), InheritedError> {
    let not_a_listener = |source| InheritedError::NotAListener { number, source };
    let failed = |errno: rustix::io::Errno| not_a_listener(Some(errno.into()));
    let is_stream = sockopt::socket_type(socket).map_err(failed)? == SocketType::STREAM;
    if !is_stream || !is_listening(socket).map_err(failed)? {
        return Err(not_a_listener(None));
    }
    let address = getsockname(socket).map_err(failed)?;
    if address.address_family() != AddressFamily::UNIX {
        return Err(not_a_listener(None));
    }
    let address = SocketAddrUnix::try_from(address).map_err(failed)?;
    let found = address.path_bytes().map(std::ffi::OsStr::from_bytes).map(PathBuf::from);
    match found {
        Some(found) if found.as_os_str() == endpoint.as_str() => Ok(()),
        found => Err(InheritedError::Elsewhere {
            number,
            found: found.unwrap_or_default(),
            endpoint: endpoint.clone(),
        }),
    }
}

/// Returns the identity of this user's socket at the endpoint's path.
fn socket_of_ours(endpoint: &Endpoint) -> Result<SocketId, InheritedError> {
    let not_ours = |source| InheritedError::NotOurs { endpoint: endpoint.clone(), source };
    let metadata = fs::symlink_metadata(endpoint.as_str()).map_err(|error| not_ours(Some(error)))?;
    let seen = Seen::at(Path::new(endpoint.as_str())).map_err(|error| not_ours(Some(error)))?;
    if seen.foreign_to().is_some() || !metadata.file_type().is_socket() {
        return Err(not_ours(None));
    }
    Ok(SocketId::of(&metadata))
}
