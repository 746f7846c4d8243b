//! Waits for the start lock, or for the daemon that another client starts.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use ipc_endpoint::{DirPolicy, Platform};
use ipc_os::{Backoff, Pid, StartLock, StartTurn, failed_start, note_failed_start, start_lock_file};

use super::look::{Asked, Asking, FIRST};
use super::{DaemonPlace, StartConfig, StartError};

/// The first and the longest pause between two looks.
///
/// Two hundred waiting clients must leave processor time for the daemon's start.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// The result of the wait.
pub(super) enum StartRace {
    /// This client starts the daemon; it holds the lock until it drops it.
    Won(StartLock),
    /// A daemon answers, so no client needs to start one.
    DaemonAnswers,
}

/// Waits until this client has the start lock, or until a daemon answers that `will_do` accepts.
pub(super) fn wait(
    config: &StartConfig,
    asking: &Asking<'_>,
    program: &Path,
    began: Instant,
    will_do: impl Fn(Option<&str>) -> bool,
) -> Result<StartRace, StartError> {
    let lock_file = config.place.lock_file();
    let deadline = began + config.timeout;
    let failed_before = failed_start(lock_file);
    let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    let mut stopped = Stopped::default();
    loop {
        let policy = policy(&config.place);
        let taken = match stopped.for_too_long() {
            Some(holder) => StartLock::take_from_stopped(lock_file, policy, holder)?,
            None => StartLock::try_take(lock_file, policy)?,
        };
        let by = match taken {
            StartTurn::Ours(lock) => return Ok(StartRace::Won(lock)),
            StartTurn::Taken { by } => by,
        };
        stopped.note(by.filter(|by| StartLock::is_stopped(lock_file, *by)), Instant::now());
        if let Asked::Answers(version) = asking.ask(FIRST)
            && will_do(version.as_deref())
        {
            return Ok(StartRace::DaemonAnswers);
        }
        let failed = failed_start(lock_file).filter(|text| failed_before.as_deref() != Some(text));
        if let Some((what, text)) = failed.as_deref().and_then(|note| note.split_once('\n'))
            && what == same_start(config, program)
        {
            return Err(StartError::FailedElsewhere { program: program.to_owned(), text: text.to_owned() });
        }
        if Instant::now() >= deadline {
            return Err(StartError::StartLockHeld {
                lock: start_lock_file(lock_file),
                by,
                waited: config.timeout,
            });
        }
        thread::sleep(backoff.pause());
    }
}

/// The holder of the start lock that a signal has stopped, and the time since when it was seen so.
///
/// Ctrl-Z in a build stops the client that is about to start the daemon of all builds.
#[derive(Debug, Default)]
struct Stopped(Option<(Pid, Instant, Duration)>);

impl Stopped {
    /// Notes that `holder` is stopped at `now`, or that no holder is.
    fn note(&mut self, holder: Option<Pid>, now: Instant) {
        self.0 = holder.map(|holder| match self.0 {
            Some((same, since, _)) if same == holder => (same, since, now.saturating_duration_since(since)),
            _ => (holder, now, Duration::ZERO),
        });
    }

    /// Returns the holder if it was stopped for as long as a frozen daemon is waited for.
    fn for_too_long(&self) -> Option<Pid> {
        self.0.filter(|(_, _, stopped)| *stopped >= FIRST).map(|(holder, ..)| holder)
    }
}

/// Notes the failure for the clients that wait for the same start, so that they do not all repeat it.
pub(super) fn tell(config: &StartConfig, program: &Path, failed: Option<&StartError>) {
    let lock_file = config.place.lock_file();
    let note = match failed {
        None => None,
        Some(error @ StartError::Ended { log, .. }) => {
            // The pid and a random number tell the note from the note of an earlier start.
            let mark = format!("(client {}, {:x})", std::process::id(), fastrand::u64(..));
            Some(format!("{}\n{error}; {log} {mark}", same_start(config, program)))
        }
        Some(_) => return,
    };
    if let Err(error) = note_failed_start(lock_file, note.as_deref()) {
        tracing::debug!(error = &error as &dyn std::error::Error, "the result of the start was not noted");
    }
}

/// Returns the key of a start: another program, or other arguments, may succeed.
fn same_start(config: &StartConfig, program: &Path) -> String {
    format!("{program:?} {:?}", config.arguments)
}

/// Returns the policy of the lock file's directory, as the daemon's own claim uses it.
fn policy(place: &DaemonPlace) -> DirPolicy {
    let socket = Path::new(place.endpoint().as_str());
    if Platform::CURRENT.is_unix() && socket.parent() == place.lock_file().parent() {
        place.dir_policy()
    } else {
        DirPolicy::Dedicated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_is_passed_over_once_it_was_stopped_for_a_while_without_a_pause() {
        let began = Instant::now();
        let pid = |id| Pid::new(id).expect("a process id");
        let mut stopped = Stopped::default();
        for (holder, at_ms, expected) in [
            (Some(7), 0, None),
            (Some(7), 299, None),
            // It was continued for a moment.
            (None, 300, None),
            (Some(7), 301, None),
            (Some(7), 600, None),
            (Some(7), 601, Some(7)),
            // Another client took the lock and was stopped, too.
            (Some(8), 602, None),
            (Some(8), 902, Some(8)),
        ] {
            stopped.note(holder.map(pid), began + Duration::from_millis(at_ms));
            assert_eq!(stopped.for_too_long(), expected.map(pid), "{holder:?} after {at_ms} ms");
        }
    }
}
