//! Starting the daemon in the background, and waiting until it answers.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use zccache_ipc::ClientConfig;
use zccache_ipc::blocking::Client;
use zccache_ipc::endpoint::{Launch, Liveness, endpoint_liveness, holder};

use crate::settings::Settings;
use crate::{Args, Outcome, StartError};

/// How long the daemon may take until it answers.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long another daemon may take that was faster than ours.
const PATIENCE_WITH_WINNER: Duration = Duration::from_secs(3);
/// How long one attempt to reach it may take.
const ATTEMPT: Duration = Duration::from_millis(500);
/// Before it is started once more, because the daemon that it left the endpoint to has ended.
const AGAIN: Duration = Duration::from_millis(100);
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(10);

/// Starts this program again as a daemon that holds nothing of us, unless one answers already.
pub(crate) fn start(args: &Args, settings: &Settings) -> Result<Outcome, StartError> {
    if answers(settings) {
        return Ok(lost(settings));
    }
    let log = settings.log_file.clone().unwrap_or_else(|| settings.background_log());
    let program = std::env::current_exe().map_err(StartError::Program)?;
    let mut daemon = launch(program.clone(), args, settings, &log).spawn()?;
    let mut deadline = Instant::now() + PATIENCE;
    let mut is_lost = false;
    loop {
        if answers(settings) {
            // Another one may have been faster, and ours is then on its way out.
            let pid = daemon.pid();
            let is_ours = recorded(settings) == Some(pid);
            let endpoint = settings.locations.endpoint().clone();
            return Ok(if is_ours { Outcome::Started { endpoint, pid } } else { lost(settings) });
        }
        match daemon.try_wait().map_err(StartError::Runtime)? {
            Some(status) if !status.success() => return Err(StartError::Ended { status, log }),
            // The one that was faster has ended since then.
            Some(_) if is_nobody_there(settings) && Instant::now() < deadline => {
                thread::sleep(AGAIN);
                daemon = launch(program.clone(), args, settings, &log).spawn()?;
                is_lost = false;
                continue;
            }
            Some(_) if !is_lost => {
                is_lost = true;
                deadline = deadline.min(Instant::now() + PATIENCE_WITH_WINNER);
            }
            _ => {}
        }
        if Instant::now() >= deadline {
            if is_lost {
                let endpoint = settings.locations.endpoint().clone();
                return Err(StartError::Silent { endpoint, by: recorded(settings) });
            }
            // It holds the endpoint and serves nobody: the next attempt should not find it.
            let _ = daemon.kill();
            return Err(StartError::NoAnswer { waited: PATIENCE, log });
        }
        thread::sleep(PAUSE);
    }
}

fn launch(program: PathBuf, args: &Args, settings: &Settings, log: &Path) -> Launch {
    let locations = &settings.locations;
    let mut launch = Launch::new(program, locations.cache_root().path())
        .args(["--foreground", "--detached", "--endpoint", locations.endpoint().as_str()])
        .arg("--log-file")
        .arg(log)
        .args(["--log-level", &args.log_level])
        .args(["--idle-timeout", &settings.idle_secs().to_string()])
        .args(["--report-version", &settings.version])
        .args(["--max-connections", &settings.max_connections.to_string()])
        .args(["--max-requests", &settings.max_requests.to_string()])
        .args(["--max-memory", &settings.max_memory.to_string()])
        .args(["--max-size", &settings.max_size.to_string()])
        .args(["--max-tools", &settings.tools.running.to_string()])
        .args(["--wires", &args.wires.to_string()]);
    if settings.is_private {
        launch = launch.arg("--private");
    }
    // The cache directory is in the environment: as an argument it would name another default endpoint.
    for (variable, value) in locations.daemon_environment().variables() {
        launch = launch.env(variable.name(), value);
    }
    launch
}

fn answers(settings: &Settings) -> bool {
    let client = Client::connect(settings.locations.endpoint().clone(), ClientConfig::within(ATTEMPT));
    client.is_ok_and(|mut client| client.ping().is_ok())
}

/// Whether nobody listens, and nobody holds the lock of one who is about to.
fn is_nobody_there(settings: &Settings) -> bool {
    let endpoint = settings.locations.endpoint();
    let connected = Client::connect(endpoint.clone(), ClientConfig::within(ATTEMPT));
    connected.is_err_and(|error| error.is_no_daemon())
        && !matches!(endpoint_liveness(endpoint), Ok(Some(Liveness::Held { .. })))
}

fn lost(settings: &Settings) -> Outcome {
    Outcome::Lost { endpoint: settings.locations.endpoint().clone(), by: recorded(settings) }
}

fn recorded(settings: &Settings) -> Option<zccache_ipc::endpoint::Pid> {
    holder(settings.locations.endpoint(), settings.locations.lock_file())
}
