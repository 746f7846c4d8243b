//! The program, but for reading its surroundings.

use std::error::Error;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use thiserror::Error;
use zccache_ipc::endpoint::{
    DownloadLocations, Endpoint, Environment, LocateError, Variable, detach_session, reset_signals,
};

use crate::args::{Args, PROGRAM};
use crate::daemon::{self, DaemonError, Outcome, Settings};
use crate::log;

/// Seconds without a client after which it ends, where nothing else is said.
const IDLE_TIMEOUT_SECS: u64 = 3600;

/// Why it does not serve.
#[derive(Debug, Error)]
enum NotServing {
    #[error("this program's surroundings cannot be read")]
    Surroundings(#[source] io::Error),
    #[error(transparent)]
    Locate(#[from] LocateError),
    #[error("cannot write {}", path.display())]
    Log { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Daemon(#[from] DaemonError),
}

impl NotServing {
    /// What sort of failure it is: one of those that `zccache-ipc --json` names.
    const fn kind(&self) -> &'static str {
        match self {
            Self::Surroundings(_) | Self::Log { .. } => "io",
            Self::Locate(_) => "not-utf8",
            Self::Daemon(_) => "start-failed",
        }
    }
}

/// Serves as `args` say, until something ends it, and tells what that was; whether it is a success.
///
/// `environment` is the snapshot of the surroundings.
pub fn run(args: &Args, environment: io::Result<Environment>) -> bool {
    let result = environment.map_err(NotServing::Surroundings);
    match result.and_then(|environment| serve(args, &environment)) {
        Ok((outcome, endpoint)) => {
            if args.json {
                // The log is on the standard error, which has told people already.
                say(&json!({ "result": name(&outcome), "endpoint": endpoint.as_str() }));
            }
            true
        }
        Err(error) => {
            let causes = causes(&error);
            if args.json {
                let message = error.to_string();
                say(&json!({
                    "error": { "kind": error.kind(), "message": message, "causes": causes, "fix": null }
                }));
            } else {
                let because = causes.iter().map(|cause| {
                    let cause = cause.replace('\n', "\n    ");
                    format!("  because: {cause}\n")
                });
                let text = format!("{PROGRAM}: {error}\n{}", because.collect::<String>());
                // There is nobody to tell of a standard error that does not take it.
                let _ = io::stderr().write_all(text.as_bytes());
            }
            false
        }
    }
}

fn serve(args: &Args, environment: &Environment) -> Result<(Outcome, Endpoint), NotServing> {
    // First, so that nothing that happens from here on reaches the terminal of the starter.
    let detached = if args.detached { detach_session() } else { Ok(()) };
    // Before there are other threads, which would keep the mask that they began with.
    let signals = reset_signals();
    let log_file = args.log_file.as_ref().map(|path| environment.cwd().join(path));
    if let Err(source) = log::init(log_file.as_deref(), &args.log_level) {
        return Err(NotServing::Log { path: log_file.unwrap_or_default(), source });
    }
    if let Err(error) = detached {
        tracing::warn!(%error, "the daemon stays in the session of its starter");
    }
    if let Err(error) = signals {
        tracing::warn!(%error, "signals are as the starter has set them");
    }
    let endpoint = args.endpoint.as_deref().map(Endpoint::from);
    let locations = DownloadLocations::for_daemon(environment, endpoint.as_ref(), args.cache_dir.as_deref())?;
    let endpoint = locations.endpoint().clone();
    let mut settings = Settings::new(locations, env!("CARGO_PKG_VERSION"));
    let idle = args.idle_timeout.unwrap_or_else(|| idle_timeout(environment));
    settings.idle_timeout = (idle > 0).then(|| Duration::from_secs(idle));
    settings.limits.running = args.max_downloads.into();
    settings.limits.stall = args.stall_timeout;
    let outcome = daemon::run(&settings).inspect_err(|error| {
        tracing::error!(
            "{}",
            std::iter::once(error.to_string()).chain(causes(error)).collect::<Vec<_>>().join(": ")
        );
    })?;
    tracing::info!("{outcome}");
    Ok((outcome, endpoint))
}

fn idle_timeout(environment: &Environment) -> u64 {
    let variable = Variable::IdleTimeoutSecs;
    let value = environment.var(variable).filter(|value| !value.is_empty());
    let parsed = value.map(|value| value.to_str().and_then(|text| text.trim().parse().ok()));
    parsed.unwrap_or(Some(IDLE_TIMEOUT_SECS)).unwrap_or_else(|| {
        tracing::warn!("{variable} is not a number of seconds and is ignored");
        IDLE_TIMEOUT_SECS
    })
}

const fn name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Shutdown => "shutdown",
        Outcome::Idle => "idle",
        Outcome::Lost(_) => "already-running",
        Outcome::Signal => "signal",
    }
}

/// Writes `value` on a line of the standard output.
fn say(value: &Value) {
    // What came of it stands, whether or not anybody can be told.
    let _ = writeln!(io::stdout(), "{value}");
}

/// What each error says that the one before was caused by.
fn causes(error: &dyn Error) -> Vec<String> {
    std::iter::successors(error.source(), |error| (*error).source()).map(ToString::to_string).collect()
}
