//! A daemon that has the endpoint and does not answer: what `start` does about it.

use std::thread;
use std::time::{Duration, Instant};

use zccache_ipc::endpoint::{Liveness, Pid, ProvedDaemon, endpoint_liveness};
use zccache_ipc::{CallError, IpcError};

use crate::caller::{Caller, TO_ASK};
use crate::failure::Failure;

/// How long a daemon may be silent before it is ended.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long its locks may be held after that.
const TO_DIE: Duration = Duration::from_secs(1);

/// Between two looks at the locks.
const PAUSE: Duration = Duration::from_millis(10);

/// What became of the daemon.
pub(super) enum After {
    /// It answers.
    Answers,
    /// It is gone; this is its process, if it was ended here.
    Gone(Option<Pid>),
}

/// Whether the daemon was there and said nothing.
pub(super) fn is_silence(error: &CallError) -> bool {
    matches!(error, CallError::Ipc(IpcError::TimedOut(_)))
}

/// Waits for a daemon whose first answer is late by `silence`, and ends it when it stays silent.
///
/// Only a process that is proved to be the daemon is ended, and only for somebody who waits `limit`, which is
/// more than it may take: with less, or without proof, `silence` is the failure.
pub(super) fn wait_or_end(
    caller: &Caller,
    began: Instant,
    limit: Duration,
    silence: CallError,
) -> Result<After, Failure> {
    if limit <= PATIENCE {
        return Err(silence.into());
    }
    while began.elapsed() < PATIENCE {
        match caller.client_within(TO_ASK).ping() {
            Ok(()) => return Ok(After::Answers),
            Err(error) if error.is_no_daemon() => return Ok(After::Gone(None)),
            Err(error) if is_silence(&error) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let Ok(daemon) = ProvedDaemon::at(caller.endpoint()) else { return Err(silence.into()) };
    let pid = daemon.pid();
    if daemon.kill().is_err() {
        return Err(silence.into());
    }
    let deadline = Instant::now() + TO_DIE;
    while matches!(endpoint_liveness(caller.endpoint())?, Some(Liveness::Held { by }) if by == Some(pid)) {
        if Instant::now() >= deadline {
            return Err(silence.into());
        }
        thread::sleep(PAUSE);
    }
    Ok(After::Gone(Some(pid)))
}
