//! Waiting for one's turn to start a daemon, or for the daemon that another client starts.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use ipc_endpoint::{DirPolicy, Platform};
use ipc_os::{Backoff, StartLock, StartTurn, failed_start, note_failed_start, start_lock_file};

use super::look::{Asked, Asking, FIRST};
use super::{DaemonPlace, StartConfig, StartError};

/// Between two looks: at first, and at most. Two hundred clients that wait must leave room for the daemon to start.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// Who goes on.
pub(super) enum Turn {
    /// This client, which holds the lock until it drops it.
    Ours(StartLock),
    /// Nobody needs to: a daemon answers.
    Answered,
}

/// Waits until it is this client's turn, or until somebody answers whom `will_do` accepts.
pub(super) fn wait(
    config: &StartConfig,
    asking: &Asking<'_>,
    program: &Path,
    began: Instant,
    will_do: impl Fn(Option<&str>) -> bool,
) -> Result<Turn, StartError> {
    let lock_file = config.place.lock_file();
    let deadline = began + config.timeout;
    let failed_before = failed_start(lock_file);
    let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    loop {
        let by = match StartLock::try_take(lock_file, policy(&config.place))? {
            StartTurn::Ours(lock) => return Ok(Turn::Ours(lock)),
            StartTurn::Taken { by } => by,
        };
        if let Asked::Answers(version) = asking.ask(FIRST)
            && will_do(version.as_deref())
        {
            return Ok(Turn::Answered);
        }
        let failed = failed_start(lock_file).filter(|text| failed_before.as_deref() != Some(text));
        if let Some((what, text)) = failed.as_deref().and_then(|note| note.split_once('\n'))
            && what == same_start(config, program)
        {
            return Err(StartError::FailedElsewhere { program: program.to_owned(), text: text.to_owned() });
        }
        if Instant::now() >= deadline {
            return Err(StartError::Turn { lock: start_lock_file(lock_file), by, waited: config.timeout });
        }
        thread::sleep(backoff.pause());
    }
}

/// Tells the clients that wait for the same what came of it, so that not each of them tries in vain.
pub(super) fn tell(config: &StartConfig, program: &Path, failed: Option<&StartError>) {
    let lock_file = config.place.lock_file();
    let note = match failed {
        None => None,
        Some(error @ StartError::Ended { log, .. }) => {
            // Told apart from the note of an earlier start by the process that writes it and the time.
            let mark = format!("(client {}, {:x})", std::process::id(), fastrand::u64(..));
            Some(format!("{}\n{error}; {log} {mark}", same_start(config, program)))
        }
        Some(_) => return,
    };
    if let Err(error) = note_failed_start(lock_file, note.as_deref()) {
        tracing::debug!(error = &error as &dyn std::error::Error, "what came of the start was not noted");
    }
}

/// What is started: another program, or other arguments, may fare better.
fn same_start(config: &StartConfig, program: &Path) -> String {
    format!("{program:?} {:?}", config.arguments)
}

/// What may be done to the directory of the lock file, as the daemon's own claim has it.
fn policy(place: &DaemonPlace) -> DirPolicy {
    let socket = Path::new(place.endpoint().as_str());
    if Platform::CURRENT.is_unix() && socket.parent() == place.lock_file().parent() {
        place.dir_policy()
    } else {
        DirPolicy::Dedicated
    }
}
