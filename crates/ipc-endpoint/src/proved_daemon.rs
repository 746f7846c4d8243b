//! The one process that may be ended by force: a daemon that is proved to be one.

use std::{
    io,
    time::{Duration, Instant},
};

use crate::{Endpoint, Liveness, Pid, blocking::Stream, endpoint_liveness, os};

/// A process that holds the lifetime lock beside the socket of an endpoint and listens there.
///
/// It is held by a handle that cannot become another process's, and every proof was found after the handle was
/// there. That it is silent or frozen is for the caller to find out first.
#[derive(Debug)]
pub struct ProvedDaemon {
    pid: Pid,
    process: os::ProcessHandle,
}

impl ProvedDaemon {
    /// Proves which process is the daemon at `endpoint`.
    ///
    /// `None` where that cannot be proved: no lock is held, as released daemons hold none, the lock and the
    /// socket name different processes, or it is this one. Waits at most 100 ms, for a full backlog.
    ///
    /// # Errors
    ///
    /// What the system said to the handle; [`io::ErrorKind::Unsupported`] where it has none.
    pub fn at(endpoint: &Endpoint) -> io::Result<Option<Self>> {
        const PATIENCE: Duration = Duration::from_millis(100);
        let holder = || match endpoint_liveness(endpoint) {
            Ok(Some(Liveness::Held { by })) => by.filter(|pid| *pid != Pid::current()),
            _ => None,
        };
        let Some(pid) = holder() else { return Ok(None) };
        let process = os::ProcessHandle::open(pid)?;
        // Both are asked after the handle is there. A stream is of our user, or none.
        let listens = Stream::connect(endpoint, Instant::now() + PATIENCE)
            .is_ok_and(|stream| stream.peer().pid() == Some(pid));
        Ok((listens && holder() == Some(pid)).then_some(Self { pid, process }))
    }

    /// Its process id.
    #[must_use]
    pub const fn pid(&self) -> Pid {
        self.pid
    }

    /// Ends it at once. Its locks are free a moment later; its socket stays for the next daemon to replace.
    ///
    /// # Errors
    ///
    /// What the system said.
    pub fn kill(self) -> io::Result<()> {
        self.process.kill()
    }
}
