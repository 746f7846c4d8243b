//! `stop`: ask the daemon to end and wait until it has.

use std::time::{Duration, Instant};

use serde_json::json;
use zccache_ipc::CallError;
use zccache_ipc::endpoint::blocking::Stream;
use zccache_ipc::endpoint::{Liveness, Pid, endpoint_liveness, liveness, lock_file, process_alive};

use crate::Exit;
use crate::caller::Caller;
use crate::failure::Failure;
use crate::output::Output;

/// How long the daemon may take to end.
const TO_END: Duration = Duration::from_secs(10);

/// How long a process without a lock may take to end after it has let everything go.
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
    // Where no lock tells the end of the process, it gets a moment; one that nobody waits for stays as a
    // zombie, which is as good as gone.
    let deadline = deadline.min(Instant::now() + TO_LEAVE);
    while !daemon.holds_lock && daemon.pid.is_some_and(process_alive) && Instant::now() < deadline {
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
        // First, because it also tells a name that no lock could be beside.
        let stream = match Stream::connect(caller.endpoint(), Instant::now() + limit / 4) {
            Ok(stream) => Some(stream),
            Err(error) if error.is_no_daemon() => None,
            Err(error) => return Err(CallError::Ipc(error.into()).into()),
        };
        let held = held(caller)?;
        let (holds_lock, holder) = (held != Liveness::Free, holder(held));
        Ok(match stream {
            Some(stream) => {
                // The system knows the listener better than a file does.
                let pid = stream.peer().pid().or(holder).or_else(|| named(caller));
                Some(Self { pid, listens: true, holds_lock })
            }
            None => holds_lock.then_some(Self { pid: holder, listens: false, holds_lock }),
        })
    }

    fn ask(&self, caller: &Caller, limit: Duration) -> Result<(), Failure> {
        match caller.client_within(limit).shutdown() {
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
            let held = held(caller)?;
            // Unless somebody else has started already.
            let is_another = holder(held).is_some_and(|by| self.pid.is_some_and(|pid| pid != by));
            return Ok(held == Liveness::Free || is_another);
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

/// Whether anybody holds the lock beside the socket, or else the one beside the lock file: a daemon that was
/// given another cache directory holds the first of them only.
fn held(caller: &Caller) -> Result<Liveness, Failure> {
    match endpoint_liveness(caller.endpoint())? {
        Some(held @ Liveness::Held { .. }) => Ok(held),
        _ => Ok(liveness(caller.locations.lock_file())?),
    }
}

const fn holder(held: Liveness) -> Option<Pid> {
    match held {
        Liveness::Held { by } => by,
        Liveness::Free => None,
    }
}

/// The process that the lock file names; what else it holds is nobody.
fn named(caller: &Caller) -> Option<Pid> {
    lock_file::read(caller.locations.lock_file()).ok().flatten()
}
