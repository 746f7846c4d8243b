//! `stop`: ask the daemon to end and wait until it has.

use std::time::{Duration, Instant};

use serde_json::json;
use zccache_ipc::CallError;
use zccache_ipc::endpoint::blocking::Stream;
use zccache_ipc::endpoint::{Liveness, Pid, liveness, lock_file, process_alive};

use crate::Exit;
use crate::caller::{self, Caller};
use crate::failure::Failure;
use crate::output::Output;

/// How long the daemon may take to end.
const TO_END: Duration = Duration::from_secs(10);

/// How long a process may take to end after it has let everything go.
const TO_LEAVE: Duration = Duration::from_secs(1);

/// Between two looks at a daemon that ends.
const PAUSE: Duration = Duration::from_millis(10);

pub(super) fn run(caller: &Caller, output: &mut Output) -> Result<Exit, Failure> {
    let limit = caller.limit(TO_END);
    let deadline = Instant::now() + limit;
    let Some(daemon) = Daemon::find(caller, limit)? else {
        output.either(
            &json!({ "result": "nothing-to-stop", "pid": null }),
            format_args!("no daemon listens at {}; nothing to stop", caller.endpoint()),
        )?;
        return Ok(Exit::Done);
    };
    if daemon.listens {
        daemon.ask(caller, limit)?;
    }
    while !daemon.is_gone(caller)? {
        if Instant::now() >= deadline {
            return Err(Failure::StillThere { pid: daemon.pid, waited: limit });
        }
        std::thread::sleep(PAUSE);
    }
    // A process that nobody waits for stays as a zombie, which is as good as gone.
    let deadline = deadline.min(Instant::now() + TO_LEAVE);
    while daemon.pid.is_some_and(process_alive) && Instant::now() < deadline {
        std::thread::sleep(PAUSE);
    }
    let process = daemon.pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default();
    output.either(
        &json!({ "result": "stopped", "pid": daemon.pid.map(Pid::get) }),
        format_args!("the daemon at {}{process} has ended", caller.endpoint()),
    )?;
    Ok(Exit::Done)
}

/// The daemon that is to end.
struct Daemon {
    pid: Option<Pid>,
    listens: bool,
    /// Whether it holds a lifetime lock; released daemons do not.
    holds_lock: bool,
}

impl Daemon {
    /// Looks for the daemon at the endpoint, or for one that holds its lock and does not listen.
    fn find(caller: &Caller, limit: Duration) -> Result<Option<Self>, Failure> {
        let lock_file = caller.locations.lock_file();
        let (holds_lock, holder) = match liveness(lock_file)? {
            Liveness::Held { by } => (true, by),
            Liveness::Free => (false, None),
        };
        match Stream::connect(caller.endpoint(), Instant::now() + limit / 4) {
            Ok(stream) => {
                // The system knows the listener better than a file does.
                let pid = stream.peer().pid().or(holder).or_else(|| named(caller));
                Ok(Some(Self { pid, listens: true, holds_lock }))
            }
            Err(error) if error.is_no_daemon() && holds_lock => {
                Ok(Some(Self { pid: holder, listens: false, holds_lock }))
            }
            Err(error) if error.is_no_daemon() => Ok(None),
            Err(error) => Err(CallError::Ipc(error.into()).into()),
        }
    }

    fn ask(&self, caller: &Caller, limit: Duration) -> Result<(), Failure> {
        match caller::client(caller.endpoint(), limit).shutdown() {
            Ok(()) => Ok(()),
            // It went before it could answer, which is what was asked for.
            Err(error) if error.is_no_daemon() => Ok(()),
            Err(CallError::OutcomeUnknown { source, .. }) if source.is_disconnect() => Ok(()),
            Err(source @ CallError::OutcomeUnknown { .. }) => {
                Err(Failure::NotStopped { pid: self.pid, source })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether it has let everything go.
    fn is_gone(&self, caller: &Caller) -> Result<bool, Failure> {
        if self.holds_lock {
            return Ok(match liveness(caller.locations.lock_file())? {
                Liveness::Free => true,
                // Somebody else has started already.
                Liveness::Held { by } => by.is_some() && self.pid.is_some() && by != self.pid,
            });
        }
        match Stream::connect(caller.endpoint(), Instant::now()) {
            Ok(stream) => {
                let now = stream.peer().pid();
                Ok(now.is_some() && self.pid.is_some() && now != self.pid)
            }
            // Nobody listens, and the lock file, which it removes last, does not name it any more.
            Err(error) if error.is_no_daemon() => {
                let is_named = self.pid.is_some_and(|pid| named(caller) == Some(pid) && process_alive(pid));
                Ok(!is_named)
            }
            Err(error) if error.is_busy() => Ok(false),
            Err(error) => Err(CallError::Ipc(error.into()).into()),
        }
    }
}

/// The process that the lock file names; what else it holds is nobody.
fn named(caller: &Caller) -> Option<Pid> {
    lock_file::read(caller.locations.lock_file()).ok().flatten()
}
