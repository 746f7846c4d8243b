//! `download serve`: be the download daemon.

use std::time::Duration;

use serde_json::json;
use zccache_download::daemon::{self, Outcome, Settings};
use zccache_download::log;
use zccache_ipc::endpoint::{Variable, detach_session};

use super::Place;
use crate::Exit;
use crate::args::Serve;
use crate::failure::Failure;
use crate::output::Output;

/// Seconds without a client after which it ends, where nothing else is said.
const IDLE_TIMEOUT_SECS: u64 = 3600;

pub(super) fn run(place: &Place, serve: &Serve, output: &mut Output) -> Result<Exit, Failure> {
    // First, so that nothing that happens from here on reaches the terminal of the starter.
    let detached = if serve.detached { detach_session() } else { Ok(()) };
    let log_file = serve.log_file.as_ref().map(|path| place.environment.cwd().join(path));
    if let Err(source) = log::init(log_file.as_deref()) {
        return Err(Failure::Write { path: log_file.unwrap_or_default(), source });
    }
    if let Err(error) = detached {
        tell(&format!("the daemon stays in the session of its starter: {error}"));
    }
    let mut settings = Settings::new(place.locations.clone(), env!("CARGO_PKG_VERSION"));
    let idle = serve.idle_timeout.unwrap_or_else(|| idle_timeout(place));
    settings.idle_timeout = (idle > 0).then(|| Duration::from_secs(idle));
    settings.limits.running = serve.max_downloads.into();
    settings.limits.stall = serve.stall_timeout;
    let outcome = daemon::run(&settings).inspect_err(|error| tell(&told(error)))?;
    let result = match outcome {
        Outcome::Shutdown => "shutdown",
        Outcome::Idle => "idle",
        Outcome::Lost(_) => "already-running",
        _ => "signal",
    };
    tell(&outcome.to_string());
    // The log is on the standard error, which has told people already.
    if output.is_json() {
        output.json(&json!({ "result": result, "endpoint": place.endpoint().as_str() }))?;
    }
    Ok(Exit::Done)
}

fn idle_timeout(place: &Place) -> u64 {
    let variable = Variable::IdleTimeoutSecs;
    let value = place.environment.var(variable).filter(|value| !value.is_empty());
    let parsed = value.map(|value| value.to_str().and_then(|text| text.trim().parse().ok()));
    parsed.unwrap_or(Some(IDLE_TIMEOUT_SECS)).unwrap_or_else(|| {
        tell(&format!("{variable} is not a number of seconds and is ignored"));
        IDLE_TIMEOUT_SECS
    })
}

/// Writes a line to the daemon's log.
fn tell(line: &str) {
    log::line(line);
}

fn told(error: &dyn std::error::Error) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
