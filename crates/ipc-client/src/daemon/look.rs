//! Asks a daemon whether it is there and answers.

use std::thread;
use std::time::{Duration, Instant};

use ipc_os::{ConnectError, Liveness, Pid, ProvedDaemon, Unproved, daemon_liveness};
use wire_dispatch::WirePolicy;

use super::DaemonPlace;
use super::silence::{Silent, Verdict};
use crate::CallError;
use ipc_connection::IpcError;

/// The factor by which a silent daemon that uses processor time may take longer.
const BUSY: u32 = 4;

/// The timeout of the first question, after which the client looks for the silent process.
pub(super) const FIRST: Duration = Duration::from_millis(300);

/// The pause between two questions that failed at once.
const PAUSE: Duration = Duration::from_millis(10);

/// Asks a daemon whether it is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) place: &'a DaemonPlace,
    pub(super) wire: WirePolicy,
    /// True if the caller needs the daemon's release.
    pub(super) for_version: bool,
}

/// The result of one question.
#[derive(Debug)]
pub(super) enum Asked {
    /// The daemon answers; has its release, if asked for and known.
    Answers(Option<String>),
    /// No daemon listens, and none is about to.
    Nobody,
    /// A process is there and does not answer.
    Silent(CallError),
    /// The listener sends something that is not an answer.
    Fails(CallError),
}

/// The result of repeated questions.
#[derive(Debug)]
pub(super) enum Look {
    Answers(Option<String>),
    Nobody,
    Silent(Silent),
    Fails(CallError),
}

impl Asking<'_> {
    /// Asks once.
    pub(super) fn ask(&self, limit: Duration) -> Asked {
        let answer = self.place.ask(self.wire, limit, self.for_version);
        match answer {
            Ok(version) => Asked::Answers(version),
            // A daemon that is over its limits is alive.
            Err(CallError::Busy(_)) => Asked::Answers(None),
            Err(error) if error.is_no_daemon() && !self.is_claimed() => Asked::Nobody,
            // A process that holds the lock may listen in a moment, or has just closed its socket.
            Err(error) if error.is_no_daemon() || is_silence(&error) => Asked::Silent(error),
            Err(error) => Asked::Fails(error),
        }
    }

    /// Asks until the daemon answers, or has been silent for `silence_limit`, or `deadline` passes.
    ///
    /// The first question has a short timeout, to find the silent process early; a frozen process gets no
    /// further time. The next question has all the time, so that a slow daemon can answer.
    pub(super) fn look(&self, silence_limit: Duration, deadline: Instant) -> Look {
        let began = Instant::now();
        let mut suspect: Option<Suspect> = None;
        let mut stopped = 0;
        loop {
            let now = Instant::now();
            let left = deadline.saturating_duration_since(now);
            let limit = match &suspect {
                Some(suspect) if stopped == 0 => {
                    suspect.since + silence_limit - now.min(suspect.since + silence_limit)
                }
                _ => FIRST,
            };
            let error = match self.ask(limit.max(PAUSE).min(left.max(PAUSE))) {
                Asked::Answers(version) => return Look::Answers(version),
                Asked::Nobody => return Look::Nobody,
                Asked::Fails(error) => return Look::Fails(error),
                Asked::Silent(error) => error,
            };
            let current = Suspect::seen(self.place, now, suspect.take());
            stopped = if current.is_stopped() { stopped + 1 } else { 0 };
            let now = Instant::now();
            let verdict = if stopped > 1 {
                Some(Verdict::Frozen)
            } else if now >= current.since + silence_limit
                && (now >= current.since + BUSY * silence_limit || !current.is_at_work(now))
            {
                Some(Verdict::Mute)
            } else {
                (now >= deadline).then_some(Verdict::TooSoon)
            };
            if let Some(verdict) = verdict {
                let waited = began.elapsed();
                return Look::Silent(Silent { verdict, waited, proof: current.proof, silence: error });
            }
            suspect = Some(current);
            thread::sleep(PAUSE);
        }
    }

    /// Returns true if a daemon holds the endpoint's lock, and so may listen in a moment.
    pub(super) fn is_claimed(&self) -> bool {
        matches!(daemon_liveness(self.place.endpoint(), self.place.lock_file()), Ok(Liveness::Held { .. }))
    }
}

/// The silent process, and the time since it is silent.
#[derive(Debug)]
struct Suspect {
    proof: Result<ProvedDaemon, Unproved>,
    since: Instant,
    /// The processor time that the process had used at `since`.
    taken: Option<u64>,
}

impl Suspect {
    /// Identifies the process behind a question of `asked` that got no answer.
    fn seen(place: &DaemonPlace, asked: Instant, before: Option<Self>) -> Self {
        if let Some(before) = before {
            if matches!(&before.proof, Ok(daemon) if daemon.holds_lock()) {
                return before;
            }
            let proof = ProvedDaemon::at(place.endpoint(), place.lock_file());
            // The silence of another process does not count for this one.
            let is_same = process(&proof) == process(&before.proof);
            let taken = if is_same { before.taken } else { taken(&proof) };
            return Self { proof, since: if is_same { before.since } else { asked }, taken };
        }
        let proof = ProvedDaemon::at(place.endpoint(), place.lock_file());
        let taken = taken(&proof);
        Self { proof, since: asked, taken }
    }

    /// Returns true if the process used at least a twentieth of one processor: it is busy, not dead.
    fn is_at_work(&self, now: Instant) -> bool {
        let (Some(before), Some(by_now)) = (self.taken, taken(&self.proof)) else { return false };
        let ticks = u128::from(by_now.saturating_sub(before));
        ticks * 10 * 20 >= now.saturating_duration_since(self.since).as_millis()
    }

    fn is_stopped(&self) -> bool {
        self.proof.as_ref().is_ok_and(ProvedDaemon::is_stopped)
    }
}

fn taken(proof: &Result<ProvedDaemon, Unproved>) -> Option<u64> {
    proof.as_ref().ok().and_then(ProvedDaemon::processor_time)
}

fn process(proof: &Result<ProvedDaemon, Unproved>) -> Option<Pid> {
    match proof {
        Ok(daemon) => Some(daemon.pid()),
        Err(unproved) => unproved.process(),
    }
}

/// Returns true for silence: no answer in time, no connection, or a closed connection.
pub(super) fn is_silence(error: &CallError) -> bool {
    match error {
        CallError::Ipc(IpcError::Connect(error)) => matches!(error, ConnectError::Busy { .. }),
        CallError::Ipc(error) => error.is_timeout() || error.is_disconnect(),
        CallError::OutcomeUnknown { source, .. } => source.is_timeout(),
        _ => false,
    }
}
