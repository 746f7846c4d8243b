//! Linux: sockets that are close-on-exec from the start, and credentials of the peer.

use std::{
    fs, io,
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::fs::MetadataExt,
    },
    path::Path,
};

use rustix::{
    io::Errno,
    net::{AddressFamily, SendFlags, SocketFlags, SocketType, accept_with, socket_with},
    process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
};

use crate::{Peer, Pid, View};

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

/// Widens a file's mode, which is narrower on other systems.
pub(super) const fn mode_bits(mode: rustix::fs::RawMode) -> u32 {
    mode
}

/// Whether somebody has called `listen` on it.
pub(super) fn is_listening(socket: impl AsFd) -> rustix::io::Result<bool> {
    rustix::net::sockopt::socket_acceptconn(socket)
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

/// Whether the kernel says that `pid` holds a lock on the file at `path`: through one of its own descriptors.
///
/// An error where it may not be asked.
pub(crate) fn holds_lock(pid: Pid, path: &Path) -> io::Result<bool> {
    let wanted = fs::symlink_metadata(path)?;
    let process = Path::new("/proc").join(pid.to_string());
    for entry in fs::read_dir(process.join("fd"))? {
        let entry = entry?;
        // Closed since it was listed, or a kind of file that cannot be asked: it is not the lock.
        let Ok(open) = fs::metadata(entry.path()) else { continue };
        if (open.dev(), open.ino()) != (wanted.dev(), wanted.ino()) {
            continue;
        }
        let Ok(info) = fs::read_to_string(process.join("fdinfo").join(entry.file_name())) else { continue };
        let is_lock =
            |line: &str| line.starts_with("lock:") && line.contains("FLOCK") && line.contains("WRITE");
        if info.lines().any(is_lock) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the process is stopped by a signal.
pub(crate) fn is_stopped(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name before the state may hold anything, parentheses and blanks included.
    stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('T'))
}

/// Returns the processor time that the process has taken, in ticks of a hundredth of a second on most systems.
pub(crate) fn processor_time(pid: Pid) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The first field behind the name is the third one; the times in user and kernel mode are 14 and 15.
    let mut times = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut time = || times.next()?.parse::<u64>().ok();
    Some(time()? + time()?)
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

/// See [`crate::file_clock_ns`].
pub(crate) fn file_clock_ns() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
    now.tv_sec.saturating_mul(1_000_000_000).saturating_add(now.tv_nsec)
}

/// See [`crate::view_of`].
pub(crate) fn view_of(pid: Pid) -> View {
    // What these links lead to is shown as a text, and followed to an inode that stands for it.
    let seen = |of: &str| {
        let namespace = fs::metadata(format!("/proc/{of}/ns/mnt")).ok()?;
        let root = fs::metadata(format!("/proc/{of}/root")).ok()?;
        Some([namespace, root].map(|metadata| (metadata.dev(), metadata.ino())))
    };
    match (seen("self"), seen(&pid.to_string())) {
        (Some(ours), Some(theirs)) if ours == theirs => View::Same,
        (Some(_), Some(_)) => View::Other,
        _ => View::Unknown,
    }
}
