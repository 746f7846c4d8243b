//! macOS: the functions of the Linux module, with other calls.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, OwnedFd},
};

use rustix::{
    io::{Errno, FdFlags, fcntl_setfd, ioctl_fionbio},
    net::{AddressFamily, SendFlags, SocketType, socket, sockopt},
};

use crate::{Peer, Pid, View};

/// No flag is needed: the socket option disables SIGPIPE.
pub(super) const NO_SIGNAL: SendFlags = SendFlags::empty();

/// Returns a Unix stream socket that never blocks, is close-on-exec and raises no SIGPIPE.
pub(super) fn stream_socket() -> io::Result<OwnedFd> {
    let socket = socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
    fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    ioctl_fionbio(&socket, true)?;
    sockopt::set_socket_nosigpipe(&socket, true)?;
    Ok(socket)
}

/// See [`crate::nameless_file`]; this system has no path for such a file.
pub(crate) const fn nameless_file() -> Option<(std::fs::File, std::path::PathBuf)> {
    None
}

/// Accepts the next connection, which never blocks, is close-on-exec and raises no SIGPIPE.
pub(super) fn accept(listener: &impl AsFd) -> io::Result<OwnedFd> {
    let socket = rustix::net::accept(listener)?;
    fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    ioctl_fionbio(&socket, true)?;
    sockopt::set_socket_nosigpipe(&socket, true)?;
    Ok(socket)
}

/// Converts a file's mode to `u32`.
pub(super) fn mode_bits(mode: rustix::fs::RawMode) -> u32 {
    u32::from(mode)
}

/// Returns true if the socket listens.
///
/// This system has no query for it; a second `listen` does no harm.
pub(super) fn is_listening(socket: impl AsFd) -> rustix::io::Result<bool> {
    match rustix::net::listen(socket, super::bind::BACKLOG) {
        Ok(()) => Ok(true),
        Err(Errno::INVAL) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Returns false: no system call tells it without the process table.
pub(crate) const fn has_exited(_: Pid) -> bool {
    false
}

/// Returns the process and user that connected, or that called `listen`.
pub(crate) fn peer(socket: &impl AsFd) -> io::Result<Peer> {
    let descriptor = socket.as_fd().as_raw_fd();
    let (mut uid, mut gid): (libc::uid_t, libc::gid_t) = (0, 0);
    // SAFETY: both pointers are to live locals of the types that the call writes.
    let result = unsafe { libc::getpeereid(descriptor, &raw mut uid, &raw mut gid) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    let mut pid: libc::pid_t = 0;
    let mut len = size_of::<libc::pid_t>() as libc::socklen_t;
    // SAFETY: both pointers are to live locals, and `len` is the size of the first one's target.
    let result = unsafe {
        libc::getsockopt(
            descriptor,
            libc::SOL_LOCAL,
            libc::LOCAL_PEERPID,
            (&raw mut pid).cast(),
            &raw mut len,
        )
    };
    // The process id is only for messages, so the connection is usable without it.
    let pid = (result == 0).then(|| u32::try_from(pid).ok().and_then(|pid| Pid::new(pid).ok())).flatten();
    Ok(Peer { pid, uid: Some(uid) })
}

/// See [`crate::file_clock_ns`].
pub(crate) fn file_clock_ns() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    // Files carry the precise time here; the subtracted tick is for file systems with a coarse clock.
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX) - 20_000_000
}

/// See [`crate::view_of`]. Processes here have one view of the file system, or the system does not tell.
pub(crate) fn view_of(_: Pid) -> View {
    View::Unknown
}
