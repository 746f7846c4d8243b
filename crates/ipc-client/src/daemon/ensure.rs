//! Makes sure that a daemon answers.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use ipc_os::{Launched, Pid, check_runtime_directory, holder};
use semver::Version;

use super::look::{Asked, Asking, FIRST, Look};
use super::silence::{NotEnded, Silent, SilentDaemon};
use super::start_race::{self, StartRace};
use super::stop::stop_daemon;
use super::{Replace, StartConfig, StartError, StopConfig, Stopped, launch, log_end, silence_limit};

/// The timeout of one look at a daemon that starts.
const TO_LOOK: Duration = Duration::from_millis(250);

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// The pause before a second start, if the daemon that took the endpoint has ended.
const AGAIN: Duration = Duration::from_millis(100);

/// A daemon that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ensured {
    /// True if this call started the daemon.
    pub is_started: bool,
    /// The daemon's process, if the locks name it.
    pub pid: Option<Pid>,
    /// The daemon's log, if this call started the daemon.
    pub log_file: Option<PathBuf>,
    /// The daemon that was replaced.
    pub replaced: Option<Replaced>,
}

/// The end of the daemon that was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Replaced {
    /// The daemon did not answer, and the client killed it.
    Killed(Pid),
    /// The client asked the daemon to stop, and it has ended.
    Stopped(Option<Pid>),
}

/// Makes sure that a daemon answers at the endpoint; starts one if none does.
///
/// Of any number of callers at the same time, one starts a daemon, and the others wait for it. The function
/// returns after a daemon answered a request. It kills and replaces a frozen or silent process that is proved
/// to be the daemon; it signals no other process. It blocks for at most the timeout of the configuration,
/// plus about a second for a daemon that does not die.
///
/// # Errors
///
/// [`StartError`], which names the process in the way, and has the end of the log of a daemon that ended.
///
/// Rule: `docs/spec/lifecycle.md#start`.
pub fn ensure_daemon(config: &StartConfig) -> Result<Ensured, StartError> {
    let began = Instant::now();
    let start = Start {
        config,
        began,
        before: holder(config.place.endpoint(), config.place.lock_file()),
        asking: Asking {
            place: &config.place,
            wire: config.wire,
            for_version: matches!(config.replace, Replace::OlderThan(_)),
        },
    };
    let silent = match start.look() {
        Look::Answers(version) if start.will_do(version.as_deref()) => return Ok(start.already()),
        Look::Answers(_) | Look::Nobody => None,
        Look::Fails(error) => return Err(error.into()),
        Look::Silent(silent) => Some(start.to_be_ended(silent)?),
    };
    let program = config.find_program()?;
    // The daemon receives its endpoint as an argument, and cannot know that it is in the runtime directory.
    config.place.runtime_directory().map_or(Ok(()), check_runtime_directory)?;
    let will_do = |version: Option<&str>| start.will_do(version);
    let lock = match start_race::wait(config, &start.asking, &program, began, will_do)? {
        StartRace::Won(lock) => lock,
        StartRace::DaemonAnswers => return Ok(start.already()),
    };
    // Another caller may have started a daemon meanwhile.
    let Vacated::Free(replaced) = start.vacate(silent)? else { return Ok(start.already()) };
    let result = start.start(&program);
    start_race::tell(config, &program, result.as_ref().err());
    drop(lock);
    result.map(|ensured| Ensured { replaced, ..ensured })
}

/// The state of one call.
struct Start<'a> {
    config: &'a StartConfig,
    began: Instant,
    /// The lock holder when the call began.
    before: Option<Pid>,
    asking: Asking<'a>,
}

/// The state of the endpoint before a start.
enum Vacated {
    /// The endpoint is free; the daemon in the option was replaced.
    Free(Option<Replaced>),
    /// A daemon answers meanwhile.
    Answers,
}

impl Start<'_> {
    fn deadline(&self) -> Instant {
        self.began + self.config.timeout
    }

    fn look(&self) -> Look {
        let silence_limit = silence_limit::within(self.config.timeout, self.config.silence_limit);
        self.asking.look(silence_limit, self.deadline())
    }

    /// Returns true if the daemon that answers is an acceptable one; `version` is its release, if asked for.
    fn will_do(&self, version: Option<&str>) -> bool {
        match (&self.config.replace, version) {
            (Replace::OlderThan(ours), Some(version)) => !is_older(version, ours),
            // A daemon that another client has started since then is as good as one of ours.
            (Replace::Any, _) => self.named() != self.before,
            _ => true,
        }
    }

    fn already(&self) -> Ensured {
        Ensured { is_started: false, pid: self.named(), log_file: None, replaced: None }
    }

    /// Returns the process that the locks name.
    fn named(&self) -> Option<Pid> {
        holder(self.config.place.endpoint(), self.config.place.lock_file())
    }

    /// Returns a silent daemon that may be killed; an error for any other.
    fn to_be_ended(&self, silent: Silent) -> Result<Silent, StartError> {
        let endpoint = self.config.place.endpoint();
        if self.config.replace == Replace::Never {
            return Err(silent.unwanted(endpoint).into());
        }
        if silent.may_be_ended() {
            return Ok(silent);
        }
        Err(match silent.end(&self.config.place) {
            Err(error) => error.into(),
            Ok(_) => unreachable!("a daemon that must not be killed is not killed"),
        })
    }

    /// Makes room for a new daemon.
    ///
    /// `silent` is the silent process that this call saw before it took the start lock.
    fn vacate(&self, silent: Option<Silent>) -> Result<Vacated, StartError> {
        let place = &self.config.place;
        if let Some(silent) = silent.filter(Silent::is_there)
            && matches!(self.asking.ask(FIRST), Asked::Silent(_))
        {
            return Ok(Vacated::Free(Some(Replaced::Killed(silent.end(place)?))));
        }
        match self.look() {
            Look::Nobody => Ok(Vacated::Free(None)),
            Look::Fails(error) => Err(error.into()),
            Look::Silent(silent) => {
                let pid = self.to_be_ended(silent)?.end(place)?;
                Ok(Vacated::Free(Some(Replaced::Killed(pid))))
            }
            Look::Answers(version) if self.will_do(version.as_deref()) => Ok(Vacated::Answers),
            Look::Answers(_) => {
                let config = StopConfig {
                    timeout: self.deadline().saturating_duration_since(Instant::now()),
                    silence_limit: self.config.silence_limit,
                    ..StopConfig::new(place.clone()).wire(self.config.wire)
                };
                Ok(Vacated::Free(match stop_daemon(&config)? {
                    Stopped::Nothing => None,
                    Stopped::Ended { pid } => Some(Replaced::Stopped(pid)),
                    Stopped::Killed { pid } => Some(Replaced::Killed(pid)),
                }))
            }
        }
    }

    /// Starts the program, and waits until a daemon answers.
    fn start(&self, program: &Path) -> Result<Ensured, StartError> {
        let place = &self.config.place;
        let log = match &self.config.log_file {
            Some(path) => path.clone(),
            None => log_end::default_log(place)?,
        };
        let log = log_end::Log::open(log);
        let mut launched = launch::launch(self.config, program, &log.path)?;
        let asking = Asking { for_version: false, ..self.asking };
        loop {
            let pid = launched.pid();
            // A daemon that ended with success has found another one, which may not listen yet.
            let ended = Launched::try_wait(&mut launched).ok().flatten();
            let is_late = Instant::now() >= self.deadline();
            let endpoint = || self.config.place.endpoint().clone();
            let silence = match asking.ask(TO_LOOK) {
                Asked::Answers(_) => {
                    let serving = self.named().or(ended.is_none().then_some(pid));
                    let is_started = serving == Some(pid);
                    let log_file = is_started.then(|| log.path.clone());
                    return Ok(Ensured { is_started, pid: serving, log_file, replaced: None });
                }
                Asked::Fails(error) => return Err(error.into()),
                Asked::Nobody => None,
                Asked::Silent(error) => Some(error),
            };
            match (ended, silence) {
                (Some(status), _) if !status.success() => {
                    return Err(StartError::Ended { endpoint: endpoint(), status, log: log.end() });
                }
                (Some(status), None) if is_late => {
                    return Err(StartError::Ended { endpoint: endpoint(), status, log: log.end() });
                }
                (Some(_), Some(silence)) if is_late => {
                    return Err(StartError::Silent(SilentDaemon {
                        endpoint: endpoint(),
                        process: self.named(),
                        waited: self.config.timeout,
                        why: Box::new(NotEnded::TooSoon),
                        silence: Box::new(silence),
                    }));
                }
                (None, _) if is_late => {
                    let waited = self.config.timeout;
                    return Err(StartError::NotServing { endpoint: endpoint(), pid, waited, log: log.end() });
                }
                // The other daemon has ended since then.
                (Some(_), None) => {
                    thread::sleep(AGAIN);
                    launched = launch::launch(self.config, program, &log.path)?;
                }
                _ => thread::sleep(PAUSE),
            }
        }
    }
}

/// Returns true if the release `version` comes before `than`; false if either is not a version.
fn is_older(version: &str, than: &str) -> bool {
    matches!((Version::parse(version), Version::parse(than)), (Ok(version), Ok(than)) if version < than)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_release_is_one_whose_numbers_come_before() {
        for (version, than, expected) in [
            ("1.11.21", "1.12.0", true),
            ("1.9.9", "1.10.0", true),
            ("1.12.0", "1.12.0", false),
            ("1.12.1", "1.12.0", false),
            ("0.1.0-dev", "0.2.0", true),
            ("1.12.0-rc.2", "1.12.0", true),
            ("1.12.0-rc.2", "1.12.0-rc.10", true),
            ("1.12.0", "1.12.0-rc.1", false),
            ("", "1.0.0", false),
            ("1.0", "1.0.1", false),
            ("unknown", "1.0.0", false),
        ] {
            assert_eq!(is_older(version, than), expected, "{version:?} {than:?}");
        }
    }
}
