//! Asks a daemon to end, waits for its end, and kills it if it is frozen or silent.

use std::thread;
use std::time::{Duration, Instant};

use ipc_os::blocking::Stream;
use ipc_os::{Liveness, Pid, ProvedDaemon, endpoint_liveness, liveness, lock_file, process_alive};

use super::look::{Asked, Asking, FIRST, is_silence};
use super::silence::{Silent, Verdict};
use super::{DaemonPlace, StopConfig, StopError, silence_limit};
use crate::CallError;
use ipc_connection::IpcError;

/// The time in which a process without a lock must end after it closed its endpoint.
const TO_LEAVE: Duration = Duration::from_secs(1);

/// The pause between two looks at a daemon that ends.
const PAUSE: Duration = Duration::from_millis(10);

/// The result of a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stopped {
    /// There was no daemon.
    Nothing,
    /// The daemon finished its requests and has ended.
    Ended {
        /// The daemon's process, if it is known.
        pid: Option<Pid>,
    },
    /// The daemon was frozen or silent, and was killed.
    Killed {
        /// The daemon's process.
        pid: Pid,
    },
}

/// Asks the daemon at the endpoint to end, and returns when its lock is free.
///
/// The daemon may finish its requests first. A daemon that is frozen or does not answer is killed if it is
/// proved to be the daemon; no other process is ever signalled. Blocks for at most the timeout of the
/// configuration, plus about a second for a daemon that does not die.
///
/// # Errors
///
/// [`StopError`], which names the process.
///
/// Rule: `docs/spec/lifecycle.md#stop`.
pub fn stop_daemon(config: &StopConfig) -> Result<Stopped, StopError> {
    let began = Instant::now();
    let deadline = began + config.timeout;
    let place = &config.place;
    let endpoint = place.endpoint();
    let Some(daemon) = Daemon::find(place, config.timeout)? else { return Ok(Stopped::Nothing) };
    // The process is identified before the question, so that the silent process is the one that was asked.
    let mut proof = Some(ProvedDaemon::at(endpoint, place.lock_file()));
    let silence_limit = silence_limit::within(config.timeout, config.silence_limit);
    let is_stopped =
        |proof: &Option<Result<ProvedDaemon, _>>| matches!(proof, Some(Ok(daemon)) if daemon.is_stopped());
    // A stopped daemon is asked too, because it may be continued.
    let to_answer = if is_stopped(&proof) { FIRST } else { silence_limit };
    let mut silence = if daemon.listens { daemon.ask(config, to_answer.min(config.timeout))? } else { None };
    let mut stopped = None;
    while !daemon.is_gone(place)? {
        let now = Instant::now();
        // A process that a signal has stopped for a while can neither answer nor end.
        stopped = is_stopped(&proof).then(|| stopped.unwrap_or(now));
        let is_frozen = stopped.is_some_and(|since| now >= since + FIRST);
        let verdict = match &silence {
            _ if is_frozen => Some(Verdict::Frozen),
            Some(_) if now >= began + silence_limit && still_silent(config) => Some(Verdict::Mute),
            Some(_) if now >= began + silence_limit => {
                // The daemon answers now, and may be about to end.
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
    // Without a lock to tell the end of the process, the process gets a moment; a zombie that its parent does
    // not reap counts as gone after that.
    let deadline = deadline.min(Instant::now() + TO_LEAVE);
    while !daemon.holds_lock && daemon.pid.is_some_and(process_alive) && Instant::now() < deadline {
        thread::sleep(PAUSE);
    }
    Ok(Stopped::Ended { pid: daemon.pid })
}

/// Kills the silent daemon, or returns the reason why not.
fn end(config: &StopConfig, silent: Silent) -> Result<Stopped, StopError> {
    Ok(Stopped::Killed { pid: silent.end(&config.place)? })
}

/// Returns true if one more question gets no answer.
fn still_silent(config: &StopConfig) -> bool {
    let asking = Asking { place: &config.place, wire: config.wire, for_version: false };
    matches!(asking.ask(FIRST), Asked::Silent(_))
}

/// The daemon that is asked to end.
struct Daemon {
    pid: Option<Pid>,
    listens: bool,
    /// True if the daemon holds a lifetime lock; released daemons do not.
    holds_lock: bool,
}

impl Daemon {
    /// Looks for the daemon at the endpoint, or for one that holds its lock and does not listen.
    fn find(place: &DaemonPlace, limit: Duration) -> Result<Option<Self>, StopError> {
        // The connection comes first, because it also rejects a name that cannot have a lock beside it.
        let (stream, is_busy) = match Stream::connect(place.endpoint(), Instant::now() + limit / 4) {
            Ok(stream) => (Some(stream), false),
            Err(error) if error.is_no_daemon() => (None, false),
            // The daemon's backlog is full: the daemon is there, and the lock names its process.
            Err(error) if error.is_busy() => (None, true),
            Err(error) => return Err(CallError::Ipc(error.into()).into()),
        };
        let held = held(place)?;
        let (holds_lock, holder) = (held != Liveness::Free, holder(held));
        Ok(match stream {
            Some(stream) => {
                // The system's answer about the listener is more reliable than a file.
                let pid = stream.peer().pid().or(holder).or_else(|| named(place));
                Some(Self { pid, listens: true, holds_lock })
            }
            None if is_busy => Some(Self { pid: holder.or_else(|| named(place)), listens: true, holds_lock }),
            None => holds_lock.then_some(Self { pid: holder, listens: false, holds_lock }),
        })
    }

    /// Asks the daemon to end; returns the error if the daemon was silent.
    fn ask(&self, config: &StopConfig, limit: Duration) -> Result<Option<CallError>, StopError> {
        match config.place.shut_down(config.wire, limit) {
            Ok(()) => Ok(None),
            // The daemon ended before it could answer, as requested.
            Err(error) if error.is_no_daemon() => Ok(None),
            Err(CallError::OutcomeUnknown { source, .. }) if source.is_disconnect() => Ok(None),
            Err(error) if is_silence(&error) => Ok(Some(error)),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns true if the daemon has freed its lock or its endpoint.
    fn is_gone(&self, place: &DaemonPlace) -> Result<bool, StopError> {
        if self.holds_lock {
            let held = held(place)?;
            // Another process may hold the lock already.
            let is_another = holder(held).is_some_and(|by| self.pid.is_some_and(|pid| pid != by));
            return Ok(held == Liveness::Free || is_another);
        }
        match Stream::connect(place.endpoint(), Instant::now()) {
            Ok(stream) => {
                let now = stream.peer().pid();
                Ok(now.is_some() && self.pid.is_some() && now != self.pid)
            }
            // No daemon listens, and the lock file, which the daemon removes last, does not name it any more.
            Err(error) if error.is_no_daemon() => {
                let is_named = self.pid.is_some_and(|pid| named(place) == Some(pid) && process_alive(pid));
                Ok(!is_named)
            }
            Err(error) if error.is_busy() => Ok(false),
            Err(error) => Err(CallError::Ipc(error.into()).into()),
        }
    }
}

/// Returns the holder of the lock beside the socket, else of the lock beside the lock file.
///
/// A daemon with another cache directory holds the first lock only.
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

/// Returns the process that the lock file names; `None` for any other content.
fn named(place: &DaemonPlace) -> Option<Pid> {
    lock_file::read(place.lock_file()).ok().flatten()
}
