//! `start`: a daemon that answers.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;
use zccache_ipc::CallError;
use zccache_ipc::endpoint::{
    DirPolicy, Endpoint, Launch, Launched, Liveness, Pid, Platform, Variable, endpoint_liveness,
    ensure_directory, holder,
};

use super::silent::{self, After};
use crate::Exit;
use crate::args::Start;
use crate::caller::{Caller, TO_ASK};
use crate::failure::{Failure, LogEnd};
use crate::output::Output;

/// The program that is started, without the system's suffix.
const DAEMON: &str = "zccache-daemon";

/// How long a daemon may take to answer.
const TO_START: Duration = Duration::from_secs(10);

/// How long one look at a daemon that starts may take.
const TO_LOOK: Duration = Duration::from_millis(250);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// Before a daemon is started once more, because the one that it left the endpoint to has ended.
const AGAIN: Duration = Duration::from_millis(100);

pub(super) fn run(caller: &Caller, start: &Start, output: &mut Output) -> Result<Exit, Failure> {
    let limit = caller.limit(TO_START);
    let began = Instant::now();
    let deadline = began + limit;
    let ended = match caller.client_within(limit.min(TO_ASK)).ping() {
        Ok(()) => After::Answers,
        Err(error) if error.is_no_daemon() => After::Gone(None),
        // It was just ending.
        Err(CallError::Ipc(error)) if error.is_disconnect() => After::Gone(None),
        Err(error) if silent::is_silence(&error) => silent::wait_or_end(caller, began, limit, error)?,
        Err(error) => return Err(error.into()),
    };
    let After::Gone(killed) = ended else { return told(caller, false, named(caller), None, None, output) };
    let program = find(caller, start.daemon_binary.as_deref())?;
    let log = Log::open(caller, start.log_file.as_deref())?;
    let mut launched = launch(caller, start, &program, &log.path)?;
    loop {
        let pid = launched.pid();
        // A daemon that ended well has found another one, which may take a moment to listen.
        let ended = launched.try_wait().ok().flatten();
        let mut is_nobody_there = false;
        match caller.client_within(TO_LOOK).ping() {
            Ok(()) => {
                let serving = named(caller).or(ended.is_none().then_some(pid));
                return told(caller, serving == Some(pid), serving, Some(&log.path), killed, output);
            }
            Err(error) if error.is_no_daemon() => is_nobody_there = !is_claimed(caller),
            Err(error) if error.is_retryable() => {}
            Err(error) if is_busy(&error) => {}
            Err(error) => return Err(error.into()),
        }
        let endpoint = || caller.endpoint().clone();
        let is_late = Instant::now() >= deadline;
        match ended {
            Some(status) if is_late || !status.success() => {
                return Err(Failure::Ended { endpoint: endpoint(), status, source: log.end() });
            }
            None if is_late => {
                return Err(Failure::NotServing {
                    endpoint: endpoint(),
                    pid,
                    waited: limit,
                    source: log.end(),
                });
            }
            // The other one has ended since then.
            Some(_) if is_nobody_there => {
                std::thread::sleep(AGAIN);
                launched = launch(caller, start, &program, &log.path)?;
            }
            _ => std::thread::sleep(PAUSE),
        }
    }
}

/// Whether a daemon holds the lock of the endpoint, and so may listen in a moment.
fn is_claimed(caller: &Caller) -> bool {
    matches!(endpoint_liveness(caller.endpoint()), Ok(Some(Liveness::Held { .. })))
}

fn is_busy(error: &CallError) -> bool {
    use zccache_ipc::IpcError;
    matches!(error, CallError::Ipc(IpcError::Connect(error)) if error.is_busy())
}

fn told(
    caller: &Caller,
    is_started: bool,
    pid: Option<Pid>,
    log_file: Option<&Path>,
    killed: Option<Pid>,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let endpoint = caller.endpoint();
    let process = pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default();
    let instead =
        killed.map(|pid| format!(", in place of process {pid}, which did not answer and was killed"));
    let instead = instead.unwrap_or_default();
    let (result, said) =
        if is_started { ("started", "started") } else { ("already-running", "already running") };
    output.either(
        &json!({
            "result": result,
            "pid": pid.map(Pid::get),
            "endpoint": endpoint.as_str(),
            "log_file": log_file.filter(|_| is_started).map(Path::to_string_lossy),
            "killed": killed.map(Pid::get),
        }),
        format_args!("{said}: the daemon at {endpoint}{process}{instead}"),
    )?;
    Ok(Exit::Done)
}

/// The process that the locks name.
fn named(caller: &Caller) -> Option<Pid> {
    holder(caller.endpoint(), caller.locations.lock_file())
}

/// Finds the program: the one that was named, else beside this one, else on `PATH`.
pub(super) fn find(caller: &Caller, named: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(path) = named {
        return Ok(caller.absolute(path));
    }
    let name = format!("{DAEMON}{}", std::env::consts::EXE_SUFFIX);
    let here = std::env::current_exe().ok();
    let beside = here.as_deref().and_then(Path::parent).map(Path::to_path_buf);
    let path = caller.environment.var(Variable::Path).unwrap_or(OsStr::new(""));
    let on_path = std::env::split_paths(path).filter(|dir| dir.is_absolute());
    let looked_in: Vec<PathBuf> = beside.into_iter().chain(on_path).collect();
    let found = looked_in.iter().map(|dir| dir.join(&name)).find(|path| path.is_file());
    found.ok_or(Failure::NoProgram { name, looked_in })
}

fn launch(caller: &Caller, start: &Start, program: &Path, log: &Path) -> Result<Launched, Failure> {
    let endpoint: &Endpoint = caller.endpoint();
    endpoint
        .check(Platform::CURRENT)
        .map_err(|error| CallError::Ipc(zccache_ipc::IpcError::Connect(error.into())))?;
    // No directory is kept from being removed or unmounted by the daemon. On Windows it says which volume a
    // cache is co-located on, and so it must be that of the current one.
    let directory = caller.environment.cwd().ancestors().last().unwrap_or(Path::new("/"));
    let mut launch = Launch::new(program, directory)
        .args(["--foreground", "--detached", "--endpoint", endpoint.as_str(), "--log-file"])
        .arg(log)
        .args(&start.daemon_arguments);
    for (variable, value) in caller.locations.daemon_environment().variables() {
        launch = launch.env(variable.name(), value);
    }
    Ok(launch.spawn()?)
}

/// The log of the daemon that is started.
pub(super) struct Log {
    path: PathBuf,
    /// How long it was before.
    length: u64,
}

impl Log {
    /// The log at `path`.
    #[cfg(feature = "download")]
    pub(super) fn at(path: PathBuf) -> Self {
        let length = fs::metadata(&path).map_or(0, |metadata| metadata.len());
        Self { path, length }
    }

    #[cfg(feature = "download")]
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Chooses the log, and makes room for the default one.
    fn open(caller: &Caller, named: Option<&Path>) -> Result<Self, Failure> {
        let path = match named {
            Some(path) => caller.absolute(path),
            None => default_log(caller)?,
        };
        let length = fs::metadata(&path).map_or(0, |metadata| metadata.len());
        Ok(Self { path, length })
    }

    /// What has been written to it last since then.
    pub(super) fn end(&self) -> LogEnd {
        LogEnd { path: self.path.clone(), text: self.last_lines().unwrap_or_default() }
    }

    fn last_lines(&self) -> io::Result<String> {
        const MOST: u64 = 4096;
        const LINES: usize = 20;
        let mut file = File::open(&self.path)?;
        let length = file.metadata()?.len();
        let from = self.length.min(length).max(length.saturating_sub(MOST));
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.take(MOST).read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        Ok(lines[lines.len().saturating_sub(LINES)..].join("\n"))
    }
}

/// `daemon-spawn[-<namespace>][-<id>].log`, beside the lifecycle log, and kept from growing for ever.
fn default_log(caller: &Caller) -> Result<PathBuf, Failure> {
    const LONGEST: u64 = 1024 * 1024;
    let lifecycle = caller.locations.lifecycle_log();
    let directory = lifecycle.parent().unwrap_or(Path::new("/"));
    for directory in [Path::new(caller.locations.cache_root().path()), directory] {
        // What is there is the daemon's to judge; a log has no rules of its own.
        if !directory.is_dir() {
            ensure_directory(directory, DirPolicy::Dedicated)?;
        }
    }
    let name = lifecycle.file_name().unwrap_or_default().to_string_lossy();
    let path = directory.join(name.replacen("daemon-lifecycle", "daemon-spawn", 1));
    if fs::metadata(&path).is_ok_and(|metadata| metadata.len() > LONGEST) {
        // Where it cannot be moved, it goes on as it is.
        let _ = fs::rename(&path, path.with_extension("log.1"));
    }
    Ok(path)
}
