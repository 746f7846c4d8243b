//! Linux: sockets that are close-on-exec from the start, and credentials of the peer.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, OwnedFd},
};

use rustix::{
    io::Errno,
    net::{AddressFamily, SendFlags, SocketFlags, SocketType, accept_with, socket_with},
    process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
};

use crate::{Peer, Pid};

/// A write to a peer that has gone is an error, not a signal.
pub(super) const NO_SIGNAL: SendFlags = SendFlags::NOSIGNAL;

/// A Unix stream socket that never blocks and is not inherited.
pub(super) fn stream_socket() -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?)
}

/// Takes the next connection, which never blocks and is not inherited.
pub(super) fn accept(listener: &impl AsFd) -> io::Result<OwnedFd> {
    Ok(accept_with(listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)?)
}

/// A process that stays the same one, however often its id is used again.
#[derive(Debug)]
pub(crate) struct ProcessHandle(OwnedFd);

impl ProcessHandle {
    pub(crate) fn open(pid: Pid) -> io::Result<Self> {
        let raw = i32::try_from(pid.get()).ok().and_then(rustix::process::Pid::from_raw);
        Ok(Self(pidfd_open(raw.ok_or(Errno::SRCH)?, PidfdFlags::empty())?))
    }

    /// Ends it, frozen or not.
    pub(crate) fn kill(&self) -> io::Result<()> {
        Ok(pidfd_send_signal(&self.0, Signal::KILL)?)
    }
}

/// Who connected, or who called `listen`.
///
/// Not `rustix::net::sockopt::socket_peercred`: its process id cannot hold the 0 that the kernel gives for a
/// peer in a pid namespace that we cannot see.
pub(crate) fn peer(socket: &impl AsFd) -> io::Result<Peer> {
    let mut credentials = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut len = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: both pointers are to live locals, and `len` is the size of what the first points to.
    let result = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut credentials).cast(),
            &raw mut len,
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    let pid = u32::try_from(credentials.pid).ok().and_then(|pid| Pid::new(pid).ok());
    Ok(Peer { pid, uid: Some(credentials.uid) })
}
