//! Other processes, and the permissions of this one.

use std::io;

use rustix::{
    io::Errno,
    process::{Resource, Rlimit, geteuid, getppid, getrlimit, setpgid, setrlimit, setsid, test_kill_process},
};

use super::has_exited;
use crate::Pid;

/// Returns the effective user of this process.
pub(crate) fn our_uid() -> Option<u32> {
    Some(geteuid().as_raw())
}

/// See [`Pid::parent`].
pub(crate) fn parent_pid() -> Option<u32> {
    u32::try_from(getppid()?.as_raw_nonzero().get()).ok()
}

/// Returns the name of this process's pid namespace, if the system has and shows namespaces.
pub(crate) fn pid_namespace() -> Option<String> {
    let link = std::fs::read_link("/proc/self/ns/pid").ok()?;
    link.to_str().map(str::to_owned)
}

/// See [`crate::process_alive`].
pub(crate) fn process_alive(pid: Pid) -> bool {
    let Some(raw) = i32::try_from(pid.get()).ok().and_then(rustix::process::Pid::from_raw) else {
        return false;
    };
    // A process that we may not signal exists too.
    matches!(test_kill_process(raw), Ok(()) | Err(Errno::PERM)) && !has_exited(pid)
}

/// See [`crate::detach_session`].
pub(crate) fn detach_session() -> io::Result<()> {
    match setsid() {
        Ok(_) => Ok(()),
        // `setsid` fails for the leader of a process group. `setpgid` fails only if that leader also leads
        // its session; for any other group leader it changes nothing. `getsid` is unusable: it returns 0 for
        // a session from outside of the PID namespace, which rustix (1.1) considers impossible.
        Err(_) if setpgid(None, None) == Err(Errno::PERM) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// See [`crate::raise_fd_limit`].
pub(crate) fn raise_fd_limit() -> io::Result<Option<u64>> {
    // macOS reports "no limit" as the maximum, and then refuses more than this.
    const OPEN_MAX: u64 = 10_240;

    let now = getrlimit(Resource::Nofile);
    let set = |current: Option<u64>| setrlimit(Resource::Nofile, Rlimit { current, maximum: now.maximum });
    if now.current == now.maximum {
        return Ok(now.current);
    }
    match set(now.maximum) {
        Ok(()) => Ok(now.maximum),
        Err(_) if now.current.is_some_and(|current| current >= OPEN_MAX) => Ok(now.current),
        Err(Errno::INVAL) => {
            let most = Some(now.maximum.map_or(OPEN_MAX, |maximum| maximum.min(OPEN_MAX)));
            set(most)?;
            Ok(most)
        }
        Err(errno) => Err(errno.into()),
    }
}
