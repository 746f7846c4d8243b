//! The end of a daemon: asked for, waited for, and where it is frozen or silent, brought about.

use std::thread;
use std::time::{Duration, Instant};

use ipc_os::blocking::Stream;
use ipc_os::{Liveness, Pid, ProvedDaemon, endpoint_liveness, liveness, lock_file, process_alive};

use super::look::{Asked, Asking, FIRST, is_silence};
use super::silence::{Silent, Verdict};
use super::{DaemonPlace, StopConfig, StopError, patience};
use crate::CallError;
use ipc_connection::IpcError;

/// How long a process without a lock may take to end after it has let everything go.
const TO_LEAVE: Duration = Duration::from_secs(1);

/// Between two looks at a daemon that ends.
const PAUSE: Duration = Duration::from_millis(10);

/// What became of the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stopped {
    /// There was none.
    Nothing,
    /// It finished what it was at and has ended.
    Ended {
        /// Its process, where it is known.
        pid: Option<Pid>,
    },
    /// It was frozen or silent, and was killed.
    Killed {
        /// Its process.
        pid: Pid,
    },
}

/// Asks the daemon at the endpoint to end, and returns when its lock is free.
///
/// It may finish what it is at. One that is frozen, or gives no answer, is ended where it is proved to be the
/// daemon; nothing else is ever signalled. Blocks for at most the time in the configuration, and about a second
/// for a daemon that does not die.
///
/// # Errors
///
/// [`StopError`], which names the process.
pub fn stop_daemon(config: &StopConfig) -> Result<Stopped, StopError> {
    let began = Instant::now();
    let deadline = began + config.timeout;
    let place = &config.place;
    let endpoint = place.endpoint();
    let Some(daemon) = Daemon::find(place, config.timeout)? else { return Ok(Stopped::Nothing) };
    // Found before it is asked, so that who is silent is who was asked.
    let mut proof = Some(ProvedDaemon::at(endpoint));
    let patience = patience::within(config.timeout, config.patience);
    let is_stopped =
        |proof: &Option<Result<ProvedDaemon, _>>| matches!(proof, Some(Ok(daemon)) if daemon.is_stopped());
    // One that is stopped is asked all the same: it may be let go on.
    let to_answer = if is_stopped(&proof) { FIRST } else { patience };
    let mut silence = if daemon.listens { daemon.ask(config, to_answer.min(config.timeout))? } else { None };
    let mut stopped = None;
    while !daemon.is_gone(place)? {
        let now = Instant::now();
        // Stopped by a signal, and still so after a while: it cannot answer, nor end.
        stopped = is_stopped(&proof).then(|| stopped.unwrap_or(now));
        let is_frozen = stopped.is_some_and(|since| now >= since + FIRST);
        let verdict = match &silence {
            _ if is_frozen => Some(Verdict::Frozen),
            Some(_) if now >= began + patience && still_silent(config) => Some(Verdict::Mute),
            Some(_) if now >= began + patience => {
                // It answers by now, and may be at its end.
                silence = None;
                None
            }
            _ => None,
        };
        if let Some(verdict) = verdict
            && let Some(proof) = proof.take()
        {
            let silence = silence.take().unwrap_or(CallError::Ipc(IpcError::TimedOut(began.elapsed())));
            return end(config, Silent { verdict, waited: began.elapsed(), proof, silence });
        }
        if now >= deadline {
            return Err(match (silence, proof) {
                (Some(silence), Some(proof)) => {
                    let silent =
                        Silent { verdict: Verdict::TooSoon, waited: began.elapsed(), proof, silence };
                    return end(config, silent);
                }
                _ => StopError::StillThere { pid: daemon.pid, waited: config.timeout },
            });
        }
        thread::sleep(PAUSE);
    }
    // Where no lock tells the end of the process, it gets a moment; one that nobody waits for stays as a
    // zombie, which is as good as gone.
    let deadline = deadline.min(Instant::now() + TO_LEAVE);
    while !daemon.holds_lock && daemon.pid.is_some_and(process_alive) && Instant::now() < deadline {
        thread::sleep(PAUSE);
    }
    Ok(Stopped::Ended { pid: daemon.pid })
}

/// Ends the silent daemon, or says why not.
fn end(config: &StopConfig, silent: Silent) -> Result<Stopped, StopError> {
    Ok(Stopped::Killed { pid: silent.end(&config.place)? })
}

/// Whether one more question gets no answer.
fn still_silent(config: &StopConfig) -> bool {
    let asking = Asking { place: &config.place, wire: config.wire, for_version: false };
    matches!(asking.ask(FIRST), Asked::Silent(_))
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
    fn find(place: &DaemonPlace, limit: Duration) -> Result<Option<Self>, StopError> {
        // First, because it also tells a name that no lock could be beside.
        let (stream, is_busy) = match Stream::connect(place.endpoint(), Instant::now() + limit / 4) {
            Ok(stream) => (Some(stream), false),
            Err(error) if error.is_no_daemon() => (None, false),
            // Its backlog is full: it is there, and who it is the lock tells.
            Err(error) if error.is_busy() => (None, true),
            Err(error) => return Err(CallError::Ipc(error.into()).into()),
        };
        let held = held(place)?;
        let (holds_lock, holder) = (held != Liveness::Free, holder(held));
        Ok(match stream {
            Some(stream) => {
                // The system knows the listener better than a file does.
                let pid = stream.peer().pid().or(holder).or_else(|| named(place));
                Some(Self { pid, listens: true, holds_lock })
            }
            None if is_busy => Some(Self { pid: holder.or_else(|| named(place)), listens: true, holds_lock }),
            None => holds_lock.then_some(Self { pid: holder, listens: false, holds_lock }),
        })
    }

    /// Asks it to end; returns how it kept silent, if it did.
    fn ask(&self, config: &StopConfig, limit: Duration) -> Result<Option<CallError>, StopError> {
        match config.place.shut_down(config.wire, limit) {
            Ok(()) => Ok(None),
            // It went before it could answer, which is what was asked for.
            Err(error) if error.is_no_daemon() => Ok(None),
            Err(CallError::OutcomeUnknown { source, .. }) if source.is_disconnect() => Ok(None),
            Err(error) if is_silence(&error) => Ok(Some(error)),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether it has let everything go.
    fn is_gone(&self, place: &DaemonPlace) -> Result<bool, StopError> {
        if self.holds_lock {
            let held = held(place)?;
            // Unless somebody else has started already.
            let is_another = holder(held).is_some_and(|by| self.pid.is_some_and(|pid| pid != by));
            return Ok(held == Liveness::Free || is_another);
        }
        match Stream::connect(place.endpoint(), Instant::now()) {
            Ok(stream) => {
                let now = stream.peer().pid();
                Ok(now.is_some() && self.pid.is_some() && now != self.pid)
            }
            // Nobody listens, and the lock file, which it removes last, does not name it any more.
            Err(error) if error.is_no_daemon() => {
                let is_named = self.pid.is_some_and(|pid| named(place) == Some(pid) && process_alive(pid));
                Ok(!is_named)
            }
            Err(error) if error.is_busy() => Ok(false),
            Err(error) => Err(CallError::Ipc(error.into()).into()),
        }
    }
}

/// Whether anybody holds the lock beside the socket, or else the one beside the lock file: a daemon that was
/// given another cache directory holds the first of them only.
fn held(place: &DaemonPlace) -> Result<Liveness, StopError> {
    match endpoint_liveness(place.endpoint())? {
        Some(held @ Liveness::Held { .. }) => Ok(held),
        _ => Ok(liveness(place.lock_file())?),
    }
}

const fn holder(held: Liveness) -> Option<Pid> {
    match held {
        Liveness::Held { by } => by,
        Liveness::Free => None,
    }
}

/// The process that the lock file names; what else it holds is nobody.
fn named(place: &DaemonPlace) -> Option<Pid> {
    lock_file::read(place.lock_file()).ok().flatten()
}
