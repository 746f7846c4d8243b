//! The way of a compilation: looked up, or compiled once and stored.

use std::cell::Cell;
use std::ffi::OsStr;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use run_cache::{Call, Hit, Miss, Plan, Ran, Seeking, Sought, is_relevant, plan};
use zccache_ipc::WirePolicy;
use zccache_ipc::endpoint::{Environment, Variable, end_as, exit_code};

use super::child::{self, Asker};
use super::note::{Known, in_time, known};
use super::reason::Reason;
use super::record::Record;
use super::settings::{Mode, Settings};
use super::shelf::{DaemonShelf, Failed};
use super::{Command, asking, here, say, start};
use crate::args::Global;
use crate::failure::Failure;
use crate::target::Target;

/// Timeout of the start of a daemon in the place of one that is late.
const TO_REPLACE: Duration = Duration::from_secs(4);

/// One compilation, with everything that decides its way.
pub(super) struct Compilation<'a> {
    pub(super) command: &'a Command,
    pub(super) environment: &'a Environment,
    pub(super) settings: &'a Settings,
    pub(super) global: &'a Global,
    pub(super) may_start: bool,
}

/// Use of the daemon at an endpoint.
enum Daemon<'a> {
    Keeps(Box<DaemonShelf<'a>>),
    OnlyCompiles,
}

impl Compilation<'_> {
    /// Compiles, or places what was compiled before, and ends this program as the compiler ended.
    pub(super) fn run(&self) -> ! {
        let mut record = Record::new(self.command, self.environment, self.settings);
        let (word, reason) = match call(self.command, self.environment, self.settings) {
            Ok(call) => match plan(&call) {
                Ok(plan) => self.run_plan(plan, &mut record),
                Err(refused) => {
                    let word = refused.reason.word();
                    record.set("argument", refused.argument.clone());
                    (word, refused.to_string())
                }
            },
            Err(name) => ("encoding", format!("{name} is not Unicode")),
        };
        self.execute(&mut record, word, &reason)
    }

    /// Executes a call that is not cached; a daemon that is there counts it.
    fn execute(&self, record: &mut Record<'_>, word: &str, reason: &str) -> ! {
        let is_moot = Cell::new(false);
        if let Ok(target) = self.target()
            && known(&target.endpoint).is_none()
            && let Ok(mut shelf) = DaemonShelf::to_report(&target, &is_moot)
        {
            record.report_session(&mut shelf, "not_cacheable");
            record.report_uncached(&mut shelf, word);
        }
        record.set("reason", word);
        record.set("why", reason);
        record.write("uncached");
        here::run(self.command)
    }

    fn run_plan(&self, plan: Plan, record: &mut Record<'_>) -> ! {
        record.set("source", plan.source().to_string_lossy());
        let is_moot = Cell::new(false);
        let mut shelf =
            match self.target().map_err(Reason::from).and_then(|target| self.daemon(&target, &is_moot)) {
                Ok(Daemon::Keeps(shelf)) => shelf,
                Ok(Daemon::OnlyCompiles) => self.let_it_compile(record),
                Err(reason) => self.give_up(reason, record),
            };
        let again = plan.clone();
        let sought = self.seek(plan, &mut shelf, &is_moot);
        let sought = match shelf.take_failure() {
            None => sought,
            Some(Failed::OnlyCompiles) => self.let_it_compile(record),
            Some(failed) => match self.recovered(failed, &is_moot) {
                Ok(fresh) => {
                    shelf.go_on_with(fresh);
                    let sought = self.seek(again, &mut shelf, &is_moot);
                    if let Some(failed) = shelf.take_failure() {
                        self.give_up(failed.into(), record);
                    }
                    // It was late for a moment only.
                    in_time(&shelf.endpoint);
                    sought
                }
                Err(reason) => self.give_up(reason, record),
            },
        };
        match sought {
            Ok(Sought::Hit(hit)) => self.hit(&hit, &mut shelf, record),
            Ok(Sought::Miss(miss)) => self.miss(*miss, &mut shelf, record),
            Err(refused) => {
                let (word, why) = (refused.reason.word(), refused.to_string());
                record.set("argument", refused.argument);
                self.execute(record, word, &why)
            }
        }
    }

    fn seek(
        &self,
        plan: Plan,
        shelf: &mut DaemonShelf<'_>,
        is_moot: &Cell<bool>,
    ) -> Result<Sought, run_cache::NotCacheable> {
        let seeking = Seeking { recache: self.settings.mode == Mode::Recache };
        plan.seek(shelf, &mut Asker { command: self.command, is_moot }, seeking)
    }

    /// Connects to the daemon; starts one if no daemon listens.
    fn daemon<'m>(&self, target: &Target, is_moot: &'m Cell<bool>) -> Result<Daemon<'m>, Reason> {
        let endpoint = &target.endpoint;
        // A wire that was asked for and carries no probes.
        let is_forced = matches!(target.wire, WirePolicy::Only(lane) if lane != zccache_ipc::Lane::FrameV1);
        match known(endpoint) {
            Some(Known::Late) => return Err(Reason::Late),
            Some(Known::OnlyCompiles) => return Ok(Daemon::OnlyCompiles),
            None if is_forced => return Ok(Daemon::OnlyCompiles),
            None => {}
        }
        match self.connect(target, is_moot) {
            Ok(shelf) => {
                // The daemon may be another one, at another name.
                let is_other = shelf.endpoint != *endpoint;
                match Some(&shelf.endpoint).filter(|_| is_other).and_then(known) {
                    Some(Known::Late) => Err(Reason::Late),
                    Some(Known::OnlyCompiles) => Ok(Daemon::OnlyCompiles),
                    None => Ok(Daemon::Keeps(Box::new(shelf))),
                }
            }
            Err(error) if error.is_no_daemon() && self.may_start => {
                start(self.environment, self.global, None)?;
                Ok(Daemon::Keeps(Box::new(self.connect(target, is_moot).map_err(Reason::Connect)?)))
            }
            Err(error) => Err(Reason::Connect(error)),
        }
    }

    fn target(&self) -> Result<Target, Failure> {
        Target::new(self.environment.clone(), self.global)
    }

    fn connect<'m>(
        &self,
        target: &Target,
        is_moot: &'m Cell<bool>,
    ) -> Result<DaemonShelf<'m>, zccache_ipc::IpcError> {
        DaemonShelf::connect(target, self.settings.mode == Mode::ReadOnly, is_moot)
    }

    /// Ends a daemon that is frozen or silent, as `start` does, and connects to the one in its place.
    fn recovered<'m>(&self, failed: Failed, is_moot: &'m Cell<bool>) -> Result<DaemonShelf<'m>, Reason> {
        // One call for all replaces a daemon that is late.
        let Failed::Call { is_first: true, .. } = &failed else { return Err(failed.into()) };
        if !self.may_start {
            return Err(failed.into());
        }
        start(self.environment, self.global, Some(TO_REPLACE))?;
        is_moot.set(false);
        self.connect(&self.target()?, is_moot).map_err(Reason::Connect)
    }

    fn give_up(&self, reason: Reason, record: &mut Record<'_>) -> ! {
        record.set("why", reason.to_string());
        record.write("no_daemon");
        let named = [Variable::CacheDir, Variable::Endpoint].map(|name| self.environment.var(name));
        let is_place_named = named.into_iter().flatten().any(|value| !value.is_empty())
            || self.global.cache_dir.is_some()
            || self.global.endpoint.is_some();
        here::run_because(self.command, &reason, is_place_named)
    }

    /// Lets a daemon that keeps no values compile.
    fn let_it_compile(&self, record: &mut Record<'_>) -> ! {
        match asking::ask(self.command, self.may_start, self.environment, self.global) {
            Ok(answer) => {
                record.write("compiled_by_daemon");
                std::process::exit(exit_code(super::tell(&answer)))
            }
            Err(reason) => self.give_up(reason, record),
        }
    }

    fn hit(&self, hit: &Hit, shelf: &mut DaemonShelf<'_>, record: &mut Record<'_>) -> ! {
        record.set("key", hit.explanation().key.clone());
        if let Err(error) = hit.place() {
            // The compiler says better what is wrong with the place.
            record.set("why", error.to_string());
            record.write("not_placed");
            here::run(self.command);
        }
        record.set("bytes_read", shelf.bytes_read);
        let saved_ms = u64::try_from(hit.took().as_millis()).unwrap_or(u64::MAX);
        record.set("saved_ms", saved_ms);
        record.set("exit_code", 0);
        record.report_session(shelf, "hit");
        record.report_hit(shelf, saved_ms);
        record.write("hit");
        let answer = asking::Answer {
            exit_code: 0,
            stdout: bytes::Bytes::copy_from_slice(hit.stdout()),
            stderr: bytes::Bytes::copy_from_slice(hit.stderr()),
        };
        std::process::exit(exit_code(super::tell(&answer)))
    }

    fn miss(&self, miss: Miss, shelf: &mut DaemonShelf<'_>, record: &mut Record<'_>) -> ! {
        record.set("key", miss.explanation().key.clone());
        let reason = match (self.settings.mode, miss.explanation().differs.first()) {
            (Mode::Recache, _) => "recache",
            (_, Some(differs)) => differs.word(),
            (_, None) => "first",
        };
        record.set("reason", reason);
        if self.settings.mode == Mode::ReadOnly {
            record.report_miss(shelf, reason, Some("read_only"));
            record.write("miss");
            drop(miss);
            here::run(self.command);
        }
        let ended = match child::run(self.command, miss.args()) {
            Ok(ended) => ended,
            // Nothing has run: the same again says why.
            Err(_) => {
                drop(miss);
                here::run(self.command)
            }
        };
        shelf.compiler_has_ended();
        let success = ended.status.success();
        record.set("exit_code", ended.status.code());
        record.set("compile_ms", ended.took.as_secs_f64() * 1e3);
        let kept = match ended.printed {
            Some((stdout, stderr)) => {
                let ran = Ran { success, stdout, stderr, took: ended.took };
                if miss.blames_own_arguments(&ran) {
                    drop(miss);
                    record.set("reason", "own_list");
                    record.set("why", "the compiler refuses the list of its inputs");
                    record.write("uncached");
                    here::run(self.command);
                }
                miss.finish(&ran, shelf).map_err(|why| why.word())
            }
            None => {
                drop(miss);
                Err("messages")
            }
        };
        match &kept {
            Ok(bytes) => record.set("bytes_written", *bytes),
            Err(word) => record.set("not_kept", *word),
        }
        record.report_session(shelf, if success { "miss" } else { "error" });
        record.report_miss(shelf, reason, kept.err());
        record.write(if success { "miss" } else { "error" });
        // What was printed is out by now: nothing is left in a buffer.
        let _ = io::stdout().flush();
        end_as(ended.status)
    }
}

/// Returns the call, or the name of a part that is not Unicode.
pub(super) fn call(
    command: &Command,
    environment: &Environment,
    settings: &Settings,
) -> Result<Call, &'static str> {
    let text = |text: &OsStr, what| text.to_str().map(str::to_owned).ok_or(what);
    let args = command.args.iter().map(|arg| text(arg, "an argument")).collect::<Result<Vec<_>, _>>()?;
    let mut env = Vec::new();
    for (name, value) in Environment::to_pass_on() {
        match (name.into_string(), value.into_string()) {
            (Ok(name), Ok(value)) => env.push((name, value)),
            (Ok(name), Err(_)) if is_relevant(&name) => return Err("a variable"),
            _ => {}
        }
    }
    let is_plain = |name: &str, value: &str| env.iter().any(|(n, v)| n == name && v == value);
    let has_term = env.iter().any(|(name, value)| name == "TERM" && !value.is_empty());
    let terminal = io::stderr().is_terminal();
    let colour = terminal && has_term && !is_plain("TERM", "dumb");
    text(command.program.as_os_str(), "the compiler's path")?;
    text(environment.cwd().as_os_str(), "the current directory")?;
    Ok(Call {
        program: command.program.clone(),
        name: text(&command.called, "the compiler's name")?,
        args,
        cwd: environment.cwd().to_owned(),
        colour,
        terminal,
        base_dir: settings.base_dir.clone(),
        env,
    })
}

impl From<Failed> for Reason {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::OnlyCompiles => Self::Unexpected("Error"),
            Failed::Refused(answer) => Self::Refused(answer),
            Failed::Call { is_first: false, .. } => Self::Late,
            Failed::Call { error, .. } => Self::Call(error),
        }
    }
}

/// Warns of an unknown mode.
pub(super) fn warn_of(settings: &Settings) {
    if let Some(mode) = &settings.unknown_mode {
        say(&format!(
            "ZCCACHE_WRAP_MODE is {mode:?}, which is not on, off, recache or read-only; it counts as on"
        ));
    }
}
