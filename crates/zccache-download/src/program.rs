//! The program, without reading its environment.

use std::error::Error;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use thiserror::Error;
use zccache_ipc::endpoint::{
    DownloadLocations, Endpoint, Environment, LocateError, Variable, detach_session, reset_signals,
    return_freed_blocks,
};

use crate::args::{Args, PROGRAM};
use crate::daemon::{self, DaemonError, Outcome, Settings};
use crate::log;

/// Default idle timeout in seconds.
const IDLE_TIMEOUT_SECS: u64 = 3600;

/// Reason why the program does not serve.
#[derive(Debug, Error)]
enum NotServing {
    #[error("cannot read this program's environment")]
    Environment(#[source] io::Error),
    #[error(transparent)]
    Locate(#[from] LocateError),
    #[error("cannot write {}", path.display())]
    Log { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Daemon(#[from] DaemonError),
}

impl NotServing {
    /// Returns the kind of the error, as in `zccache-ipc --json`.
    const fn kind(&self) -> &'static str {
        match self {
            Self::Environment(_) | Self::Log { .. } => "io",
            Self::Locate(_) => "not-utf8",
            Self::Daemon(_) => "start-failed",
        }
    }
}

/// Serves according to `args`; returns true if the outcome is a success.
///
/// Prints the outcome with `--json`, and an error always.
///
/// `environment` is the snapshot of the process environment.
pub fn run(args: &Args, environment: io::Result<Environment>) -> bool {
    let result = environment.map_err(NotServing::Environment);
    match result.and_then(|environment| serve(args, &environment)) {
        Ok((outcome, endpoint)) => {
            if args.json {
                // Without `--json`, the log on standard error has the outcome.
                print(&json!({ "result": name(&outcome), "endpoint": endpoint.as_str() }));
            }
            true
        }
        Err(error) => {
            let causes = causes(&error);
            if args.json {
                let message = error.to_string();
                print(&json!({
                    "error": { "kind": error.kind(), "message": message, "causes": causes, "fix": null }
                }));
            } else {
                let because = causes.iter().map(|cause| {
                    let cause = cause.replace('\n', "\n    ");
                    format!("  because: {cause}\n")
                });
                let text = format!("{PROGRAM}: {error}\n{}", because.collect::<String>());
                // A failed write to standard error cannot be reported anywhere.
                let _ = io::stderr().write_all(text.as_bytes());
            }
            false
        }
    }
}

fn serve(args: &Args, environment: &Environment) -> Result<(Outcome, Endpoint), NotServing> {
    // First, so that no later event reaches the starter's terminal.
    let detached = if args.detached { detach_session() } else { Ok(()) };
    // Before other threads start: a thread keeps the signal mask of its start, and its own freed memory.
    let signals = reset_signals();
    return_freed_blocks();
    let log_file = args.log_file.as_ref().map(|path| environment.cwd().join(path));
    if let Err(source) = log::init(log_file.as_deref(), &args.log_level) {
        return Err(NotServing::Log { path: log_file.unwrap_or_default(), source });
    }
    if let Err(error) = detached {
        tracing::warn!(%error, "the daemon stays in the session of its starter");
    }
    if let Err(error) = signals {
        tracing::warn!(%error, "cannot reset the signals; they stay as the starter set them");
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

/// Prints `value` as one line.
fn print(value: &Value) {
    // The exit status does not depend on the output.
    let _ = writeln!(io::stdout(), "{value}");
}

/// Returns the texts of the error's causes, outermost first.
fn causes(error: &dyn Error) -> Vec<String> {
    std::iter::successors(error.source(), |error| (*error).source()).map(ToString::to_string).collect()
}
