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
    fs::{MemfdFlags, memfd_create},
    io::{Errno, FdFlags, fcntl_dupfd_cloexec, fcntl_setfd},
    net::{AddressFamily, SendFlags, SocketFlags, SocketType, accept_with, socket_with},
    process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
};

use crate::{Peer, Pid, View};

/// Makes a write to a closed peer an error instead of a signal.
pub(super) const NO_SIGNAL: SendFlags = SendFlags::NOSIGNAL;

/// Returns a Unix stream socket that never blocks and is close-on-exec.
pub(super) fn stream_socket() -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?)
}

/// The lowest descriptor of a nameless file.
///
/// A child that closes inherited descriptors gives low numbers to files of its own, and must not take one of them for
/// the nameless file.
const UNCOMMON: i32 = 200;

/// See [`crate::nameless_file`].
pub(crate) fn nameless_file() -> Option<(fs::File, std::path::PathBuf)> {
    let low = memfd_create("zccache", MemfdFlags::CLOEXEC).ok()?;
    let high = fcntl_dupfd_cloexec(low, UNCOMMON).ok()?;
    fcntl_setfd(&high, FdFlags::empty()).ok()?;
    let file = fs::File::from(high);
    let path = std::path::PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    // Without `/proc` the path leads nowhere.
    super::file::leads_to(&path, &file).is_ok_and(|leads| leads).then_some((file, path))
}

/// Accepts the next connection, which never blocks and is close-on-exec.
pub(super) fn accept(listener: &impl AsFd) -> io::Result<OwnedFd> {
    Ok(accept_with(listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)?)
}

/// Converts a file's mode to `u32`; other systems have a narrower type.
pub(super) const fn mode_bits(mode: rustix::fs::RawMode) -> u32 {
    mode
}

/// Returns true if the socket listens.
pub(super) fn is_listening(socket: impl AsFd) -> rustix::io::Result<bool> {
    rustix::net::sockopt::socket_acceptconn(socket)
}

/// A handle for one process, which stays valid if its id is reused.
#[derive(Debug)]
pub(crate) struct ProcessHandle(OwnedFd);

impl ProcessHandle {
    pub(crate) fn open(pid: Pid) -> io::Result<Self> {
        let raw = i32::try_from(pid.get()).ok().and_then(rustix::process::Pid::from_raw);
        Ok(Self(pidfd_open(raw.ok_or(Errno::SRCH)?, PidfdFlags::empty())?))
    }

    /// Kills the process, even if it is frozen.
    pub(crate) fn kill(&self) -> io::Result<()> {
        Ok(pidfd_send_signal(&self.0, Signal::KILL)?)
    }
}

/// Returns true if the kernel lists a lock of `pid` on the file at `path`.
///
/// Only locks through the process's own descriptors count. An error if this process may not read the list.
pub(crate) fn holds_lock(pid: Pid, path: &Path) -> io::Result<bool> {
    let wanted = fs::symlink_metadata(path)?;
    let process = Path::new("/proc").join(pid.to_string());
    for entry in fs::read_dir(process.join("fd"))? {
        let entry = entry?;
        // The descriptor was closed meanwhile, or is not a file that can be examined, so it is not the lock.
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

/// Returns true if a signal has stopped the process.
pub(crate) fn is_stopped(pid: Pid) -> bool {
    stat(pid).is_some_and(|fields| fields.starts_with('T'))
}

/// Returns true if the process has exited and its parent has not waited for it: a zombie.
pub(crate) fn has_exited(pid: Pid) -> bool {
    let Some(fields) = stat(pid) else { return false };
    let mut fields = fields.split_whitespace();
    let is_zombie = matches!(fields.next(), Some("Z" | "X"));
    // A process whose first thread has exited looks like a zombie while its other threads run.
    let threads = fields.nth(16).and_then(|count| count.parse::<u32>().ok());
    is_zombie && threads.is_none_or(|count| count <= 1)
}

/// Returns the fields of `/proc/<pid>/stat` from the state on.
fn stat(pid: Pid) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before the state may have any characters, including parentheses and blanks.
    stat.rsplit_once(')').map(|(_, fields)| fields.trim_start().to_owned())
}

/// Returns the processor time that the process has used, in ticks of 1/100 s on most systems.
pub(crate) fn processor_time(pid: Pid) -> Option<u64> {
    let fields = stat(pid)?;
    // The first field after the name is number 3; user and kernel time are 14 and 15.
    let mut times = fields.split_whitespace().skip(11);
    let mut time = || times.next()?.parse::<u64>().ok();
    Some(time()? + time()?)
}

/// Returns the process and user that connected, or that called `listen`.
///
/// `rustix::net::sockopt::socket_peercred` is not usable here: its process id cannot hold the 0 that the
/// kernel returns for a peer in an invisible pid namespace.
pub(crate) fn peer(socket: &impl AsFd) -> io::Result<Peer> {
    let mut credentials = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut len = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: both pointers are to live locals, and `len` is the size of the first one's target.
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
    // `metadata` follows these links to an inode that identifies the namespace or the root.
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
